//! The devices of an account, for its user and for the administrator.

use axum::extract::FromRequestParts;
use http::request::Parts;
use sync_core::{protocol::Device, retry::retry, tx};

use super::{session::SessionUser, sync_token::SyncCaller};
use crate::{AppState, Error, store::sync_device, task::detached};

/// Whoever may see an account's devices: one of them, or its user's session.
pub(crate) struct AccountCaller {
    pub(crate) user_id: String,
    /// The number of the device that asks.
    device: Option<i64>,
}

impl FromRequestParts<AppState> for AccountCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        match SyncCaller::from_request_parts(parts, state).await {
            Ok(SyncCaller(caller)) => Ok(Self {
                user_id: caller.user_id,
                device: Some(caller.device),
            }),
            Err(Error::Unauthorized) => {
                let session = SessionUser::from_request_parts(parts, state).await?;
                Ok(Self {
                    user_id: session.user_id,
                    device: None,
                })
            }
            Err(error) => Err(error),
        }
    }
}

/// The devices that may sync for the one who asks.
pub(crate) async fn of_caller(
    state: &AppState,
    caller: &AccountCaller,
) -> Result<Vec<Device>, Error> {
    listed(state, &caller.user_id, caller.device).await
}

/// The devices that may sync for a user.
pub async fn list(state: &AppState, user_id: &str) -> Result<Vec<Device>, Error> {
    listed(state, user_id, None).await
}

const LONGEST_ID: usize = 64;

/// Whether an installation may call itself so.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Ends the login of one device. [`Error::UnknownDevice`] if the user has no such device.
pub async fn revoke(state: &AppState, user_id: &str, device_id: &str) -> Result<(), Error> {
    // Postgres would fail at a NUL.
    if !is_id(device_id) {
        return Err(Error::UnknownDevice);
    }
    let (db, now) = (state.db.write.clone(), state.now());
    let (user_id, device_id) = (user_id.to_owned(), device_id.to_owned());
    let events = state.events.clone();
    detached(async move {
        match sync_device::revoke_device(&db, &user_id, &device_id, now).await? {
            0 => Err(Error::UnknownDevice),
            _ => {
                events.recheck(&user_id);
                Ok(())
            }
        }
    })
    .await
}

/// Ends the logins of all devices of a user; how many there were.
pub async fn revoke_all(state: &AppState, user_id: &str) -> Result<u64, Error> {
    let (db, now, events) = (state.db.write.clone(), state.now(), state.events.clone());
    let user_id = user_id.to_owned();
    let revoke = async move || {
        let tx = tx::begin_write(&db).await?;
        let n_live = sync_device::live(&tx, &user_id, now).await?.len();
        sync_device::revoke_all(&tx, &user_id, now).await?;
        tx.commit().await?;
        events.recheck(&user_id);
        Ok(n_live as u64)
    };
    detached(async move { retry(|| revoke()).await }).await
}

async fn listed(
    state: &AppState,
    user_id: &str,
    current: Option<i64>,
) -> Result<Vec<Device>, Error> {
    let devices = sync_device::live(&state.db.read, user_id, state.now()).await?;
    let shown = devices.into_iter().filter_map(|device| {
        Some(Device {
            id: device.device_id?,
            name: device.name,
            created_at: device.created_at.into(),
            last_seen_at: device.last_seen_at.map(Into::into),
            expires_at: device.expires_at.into(),
            current: current == Some(device.id),
        })
    });
    Ok(shown.collect())
}
