//! Another password for an account. What was logged in with the old one ends.

use sea_orm::DatabaseTransaction;
use sync_core::{retry::retry, tx};

use super::{
    accounts::{self, Login},
    limits,
    session::SessionUser,
};
use crate::{AppState, Error, store, task::detached};

/// Changes the password of a session's user, who has to know the present one. All sync tokens and all
/// other sessions end.
pub(crate) async fn change(
    state: &AppState,
    session: &SessionUser,
    current: String,
    new: String,
) -> Result<Login, Error> {
    accounts::check_password(&new)?;
    let user = store::user::by_id(&state.db.read, &session.user_id).await?;
    let user = user.ok_or(Error::Unauthorized)?;
    let stored = store::account::password_of(&state.db.read, &user.id).await?;
    let stored = stored.ok_or(Error::NoPassword)?;
    let attempt = limits::change_password(state, &user.id).await?;
    match state.passwords.verify(current, Some(stored.clone())).await {
        Ok(false) => return Err(Error::WrongCurrentPassword),
        checked => {
            attempt.forgive(state).await?;
            checked?;
        }
    }
    let hash = state.passwords.hash(new).await?;
    let change = Change {
        user_id: user.id.clone(),
        hash: hash.clone(),
        replaces: Some(stored),
        keep_session: Some(session.token.clone()),
    };
    change.make(state).await?;
    Ok(Login {
        account: user.into(),
        hash: Some(hash),
    })
}

/// Gives a user another password, whatever it was before. All that is logged in ends.
pub(crate) async fn reset(state: &AppState, user_id: String, new: String) -> Result<(), Error> {
    accounts::check_password(&new)?;
    let change = Change {
        user_id,
        hash: state.passwords.hash(new).await?,
        replaces: None,
        keep_session: None,
    };
    change.make(state).await
}

struct Change {
    user_id: String,
    hash: String,
    /// What has to be the user's password until now.
    replaces: Option<String>,
    keep_session: Option<String>,
}

impl Change {
    async fn make(self, state: &AppState) -> Result<(), Error> {
        let state = state.clone();
        let make = async move || {
            let tx = tx::begin_write(&state.db.write).await?;
            store::user::lock(&tx, &self.user_id).await?;
            let stored = store::account::password_of(&tx, &self.user_id).await?;
            if self.replaces.is_some() && self.replaces != stored {
                return Err(Error::WrongCurrentPassword);
            }
            self.write(&tx, &state).await?;
            tx.commit().await?;
            state.events.recheck(&self.user_id);
            Ok(())
        };
        detached(async move { retry(|| make()).await }).await
    }

    async fn write(&self, tx: &DatabaseTransaction, state: &AppState) -> Result<(), Error> {
        let (user_id, now) = (&self.user_id, state.now());
        if !store::account::replace_password(tx, user_id, self.hash.clone(), now).await? {
            let id = state.ids.next();
            store::account::insert_password(tx, id, user_id, self.hash.clone(), now).await?;
        }
        store::session::delete_of(tx, user_id, self.keep_session.as_deref()).await?;
        store::sync_device::revoke_all(tx, user_id, now).await?;
        Ok(())
    }
}
