//! Connecting with a sync token that somebody else has got, as the app's own settings page does.

use super::{
    Adapter, Connected, LocalData, Prepared, other_account,
    prepare::{Tie, is_certainly_another},
};
use crate::{
    devices,
    error::AdapterError,
    login::{Account, is_word},
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
    /// What becomes of data that is here and is not the account's yet.
    pub local_data: LocalData,
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
        if !is_word(&grant.user_id) || !is_word(&grant.token) {
            return Err(AdapterError::Usage(
                "the token or the account is not one that a server gives out: log in again"
                    .to_owned(),
            ));
        }
        let state = self.device.state().await?;
        if grant.local_data == LocalData::Ask && is_certainly_another(&state, &grant.user_id) {
            return Err(other_account(&state));
        }
        self.verify(grant).await?;
        let users = self
            .users(&state, &grant.user_id, None, grant.local_data)
            .await?;
        let is_known = state.remote_user_id.as_ref() == Some(&grant.user_id);
        let mut prepared = Prepared {
            url: grant.url.as_str().to_owned(),
            email: state.email.clone().filter(|_| is_known),
            account: Account {
                id: grant.user_id.clone(),
                // The token does not tell it, and a user has one.
                email: format!("{}@user.invalid", grant.user_id),
                name: String::new(),
                email_verified: false,
            },
            token: grant.token.clone(),
            state,
            tie: Tie::Free,
            users,
        };
        self.look_at(&mut prepared).await?;
        self.tie(&prepared, grant.local_data).await
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
