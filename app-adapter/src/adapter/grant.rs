//! Connecting with a sync token that somebody else has got, as the app's own settings page does.

use sync_core::{Millis, device::Connection};

use super::{Adapter, Connected, other_account};
use crate::{
    account, devices,
    error::AdapterError,
    login::{Account, is_word},
    seal::Purpose,
    server_url::ServerUrl,
};

/// A sync token, and what it is for. Shows no token.
#[derive(Clone)]
pub struct Grant {
    /// The server.
    pub url: ServerUrl,
    /// The account there.
    pub user_id: String,
    /// The sync token.
    pub token: String,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("url", &self.url)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

impl Adapter {
    /// Ties an account to the local data with a sync token, once the server has said that it is the account's.
    ///
    /// # Errors
    /// If the server does not accept the token, says that it is another account's, or is not reached, or if it
    /// is not clear whose data is to be the account's; then all is as before.
    pub async fn connect_with(&self, grant: &Grant) -> Result<Connected, AdapterError> {
        let Grant {
            url,
            user_id,
            token,
        } = grant;
        let url = url.as_str();
        if !is_word(user_id) || !is_word(token) {
            return Err(AdapterError::Usage(
                "the token or the account is not one that a server gives out: log in again"
                    .to_owned(),
            ));
        }
        let state = self.device.state().await?;
        let same = state.remote_user_id.as_ref() == Some(user_id)
            && state.remote_url.as_deref() == Some(url);
        if state.local_user_id.is_some() && !same {
            return Err(other_account(&state));
        }
        self.verify(grant).await?;
        let tied = state.local_user_id.clone();
        let local_user_id = account::choose(self.device.db(), user_id, tied, None).await?;
        let device_id = self.device.device_id().await?;
        let (key, kept) = self.key.for_login(&device_id).await?;
        let connection = Connection {
            remote_url: url.to_owned(),
            remote_user_id: user_id.clone(),
            email: state.email.clone().filter(|_| same),
            auth_token: key.seal(token, Purpose { url, user_id }, kept)?,
            local_user_id,
        };
        let account = Account {
            id: user_id.clone(),
            // The token does not tell it, and a user has one.
            email: format!("{user_id}@user.invalid"),
            name: String::new(),
            email_verified: false,
        };
        let now = Millis(self.clock.now_ms());
        account::ensure_user(self.device.db(), &connection.local_user_id, &account, now).await?;
        self.device.connect(&connection).await?;
        Ok(Connected {
            remote_url: connection.remote_url,
            user_id: connection.remote_user_id,
            email: connection.email.unwrap_or_default(),
            local_user_id: connection.local_user_id,
            n_pending: self.overview().await?.n_pending,
            set_aside: None,
        })
    }

    async fn verify(&self, grant: &Grant) -> Result<(), AdapterError> {
        let token = Some(grant.token.clone());
        let transport = self.network.transport(grant.url.as_str(), token)?;
        if devices::account(&*transport).await? == grant.user_id {
            return Ok(());
        }
        Err(AdapterError::Usage(
            "the token is another account's: log in again".to_owned(),
        ))
    }
}
