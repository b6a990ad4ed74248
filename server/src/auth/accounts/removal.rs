//! How much there is of an account, and its removal.

use serde::Serialize;
use sync_core::{Millis, retry::retry, server::AccountUsage, tx};

use super::Account;
use crate::{AppState, Error, auth::devices, store};

/// What an account takes up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// The account's id.
    pub user_id: String,
    /// Its address.
    pub email: String,
    /// Devices that may sync for it.
    pub n_devices: usize,
    /// When one of them was last here.
    pub last_seen_at: Option<Millis>,
    /// Its rows.
    #[serde(flatten)]
    pub data: AccountUsage,
}

/// What a removal has removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// What there was of the account.
    #[serde(flatten)]
    pub usage: Usage,
    /// Whether it is gone; `false` where it was only looked at.
    pub removed: bool,
}

/// What an account takes up.
pub async fn usage(state: &AppState, account: Account) -> Result<Usage, Error> {
    let devices = devices::list(state, &account.id).await?;
    Ok(Usage {
        n_devices: devices.len(),
        last_seen_at: devices
            .iter()
            .filter_map(|device| device.last_seen_at)
            .max(),
        data: state.sync.usage(&account.id).await?,
        user_id: account.id,
        email: account.email,
    })
}

/// Removes an account with all its rows, sessions and devices, for good.
///
/// A future of it must be run to its end.
pub async fn remove(state: &AppState, account: Account) -> Result<Removed, Error> {
    let usage = usage(state, account).await?;
    retry(|| remove_once(state, &usage.user_id)).await?;
    Ok(Removed {
        usage,
        removed: true,
    })
}

async fn remove_once(state: &AppState, user_id: &str) -> Result<(), Error> {
    let tx = tx::begin_write(&state.db.write).await?;
    store::user::lock(&tx, user_id).await?;
    state.sync.remove_account(&tx, user_id).await?;
    // Sessions, passwords and devices go with it.
    store::user::delete(&tx, user_id).await?;
    tx.commit().await?;
    state.events.recheck(user_id);
    Ok(())
}
