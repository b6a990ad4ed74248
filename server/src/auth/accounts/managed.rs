//! What an administrator does with accounts, by their addresses.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sync_core::{Millis, retry::retry, tx};

use super::{Account, normal_email};
use crate::{
    AppState, Error,
    auth::{devices, password_change},
    store::{self, user::Ban},
    task::detached,
};

/// An account with what an administrator wants to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// Whether it is banned now.
    pub banned: bool,
    /// Why.
    pub ban_reason: Option<String>,
    /// When the ban ends; none if it does not end by itself.
    pub ban_expires: Option<Millis>,
    /// Devices that may sync for it.
    pub n_devices: usize,
    /// When one of them was last here.
    pub last_seen_at: Option<Millis>,
}

/// For how long somebody is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until somebody lifts the ban.
    Lifted,
    /// For so many days.
    Days(u32),
}

/// The account with this address; [`Error::UnknownAccount`] if there is none.
pub async fn find(state: &AppState, email: &str) -> Result<Account, Error> {
    let unknown = || Error::UnknownAccount(email.to_owned());
    let normal = normal_email(email).map_err(|_| unknown())?;
    let user = store::user::by_email(&state.db.read, &normal).await?;
    Ok(user.ok_or_else(unknown)?.into())
}

/// All accounts, by address.
pub async fn list(state: &AppState) -> Result<Vec<Listed>, Error> {
    let mut all = Vec::new();
    for user in store::user::all(&state.db.read).await? {
        let devices = devices::list(state, &user.id).await?;
        let banned = user.is_banned(state.now());
        all.push(Listed {
            banned,
            ban_reason: user.ban_reason.clone().filter(|_| banned),
            ban_expires: user.ban_expires.filter(|_| banned).map(Into::into),
            n_devices: devices.len(),
            last_seen_at: devices
                .iter()
                .filter_map(|device| device.last_seen_at)
                .max(),
            account: user.into(),
        });
    }
    Ok(all)
}

/// Gives an account another password. All its sessions and sync tokens end.
pub async fn set_password(
    state: &AppState,
    email: &str,
    password: String,
) -> Result<Account, Error> {
    let account = find(state, email).await?;
    password_change::reset(state, account.id.clone(), password).await?;
    Ok(account)
}

/// Shuts an account out. Its sessions end; its devices are refused from now on, and let in again by
/// themselves when the ban ends.
pub async fn ban(
    state: &AppState,
    email: &str,
    until: Until,
    reason: Option<String>,
) -> Result<Account, Error> {
    let account = find(state, email).await?;
    let ban = Ban {
        banned: Some(true),
        ban_expires: until.from(state.now()),
    };
    set_ban(state, &account.id, ban, reason).await?;
    Ok(account)
}

/// Lifts the ban of an account.
pub async fn unban(state: &AppState, email: &str) -> Result<Account, Error> {
    let account = find(state, email).await?;
    let ban = Ban {
        banned: Some(false),
        ban_expires: None,
    };
    set_ban(state, &account.id, ban, None).await?;
    Ok(account)
}

/// Says that the account's address is its user's own.
pub async fn verify_email(state: &AppState, email: &str) -> Result<Account, Error> {
    let account = find(state, email).await?;
    let (state, id) = (state.clone(), account.id.clone());
    detached(
        async move { Ok(store::user::set_verified(&state.db.write, &id, state.now()).await?) },
    )
    .await?;
    Ok(Account {
        email_verified: true,
        ..account
    })
}

async fn set_ban(
    state: &AppState,
    id: &str,
    ban: Ban,
    reason: Option<String>,
) -> Result<(), Error> {
    let (state, id) = (state.clone(), id.to_owned());
    let set = async move || {
        let tx = tx::begin_write(&state.db.write).await?;
        store::user::set_ban(&tx, &id, ban, reason.clone(), state.now()).await?;
        if ban.is_on(state.now()) {
            store::session::delete_of(&tx, &id, None).await?;
        }
        tx.commit().await?;
        state.events.recheck(&id);
        Ok(())
    };
    detached(async move { retry(|| set()).await }).await
}

impl Until {
    fn from(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Lifted => None,
            Self::Days(days) => now.checked_add_signed(TimeDelta::days(days.into())),
        }
    }
}
