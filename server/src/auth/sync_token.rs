//! The token a device syncs with: given out for a session, long-lived, revocable one by one.

use axum::extract::FromRequestParts;
use chrono::{DateTime, TimeDelta, Utc};
use http::request::Parts;
use sha2::{Digest, Sha256};
use sync_core::{retry::retry, server::Caller, tx};

use super::{bearer, hex, limits, random_token, session::SessionUser};
use crate::{
    AppState, Error,
    store::{self, sync_device},
    task::detached,
};

/// How exactly `last_seen_at` is kept: a write for every request would be too many.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(10);

/// A token just made, the only time it can be read.
pub(crate) struct NewToken {
    pub(crate) token: String,
    /// Every use of the token moves it on.
    pub(crate) expires_at: DateTime<Utc>,
}

/// How a device describes itself when it asks for a token.
pub(crate) struct DeviceName {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
}

/// The account and device behind the sync token of this request.
pub(crate) struct SyncCaller(pub(crate) Caller);

impl FromRequestParts<AppState> for SyncCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let token = bearer::token(&parts.headers).ok_or(Error::Unauthorized)?;
        let device = sync_device::by_token_hash(&state.db.read, &hash(token)).await?;
        let device = device.ok_or(Error::Unauthorized)?;
        if device.expires_at <= state.now() {
            return Err(Error::TokenExpired);
        }
        if device.ban.is_on(state.now()) {
            return Err(Error::Banned);
        }
        note_seen(state, &device).await;
        Ok(Self(Caller {
            user_id: device.user_id,
            device: device.id,
        }))
    }
}

/// Gives a device of the session's user a token. Tokens that the same device had before end, so that an
/// answer lost on its way leaves none behind.
pub(crate) async fn issue(
    state: &AppState,
    session: SessionUser,
    device: DeviceName,
) -> Result<NewToken, Error> {
    limits::token(state, &session.user_id).await?;
    let now = state.now();
    let (token, expires_at) = (random_token(), state.token_end(now));
    let listener = session.user_id.clone();
    let new = sync_device::NewDevice {
        user_id: session.user_id,
        device_id: device.id,
        name: device.name,
        token_hash: hash(&token),
        expires_at,
    };
    let db = state.db.write.clone();
    let issue = async move || {
        let tx = tx::begin_write(&db).await?;
        store::user::lock(&tx, &new.user_id).await?;
        // The password may just have been changed, and then the session has ended.
        let session = store::session::find(&tx, &session.token).await?;
        session.ok_or(Error::Unauthorized)?;
        sync_device::revoke_device(&tx, &new.user_id, &new.device_id, now).await?;
        sync_device::insert(&tx, new.clone(), now).await?;
        Ok(tx.commit().await?)
    };
    detached(async move { retry(|| issue()).await }).await?;
    state.events.recheck(&listener);
    Ok(NewToken { token, expires_at })
}

/// Ends the token of a request.
pub(crate) async fn revoke(state: &AppState, caller: &Caller) -> Result<(), Error> {
    let (db, device, now) = (state.db.write.clone(), caller.device, state.now());
    detached(async move { Ok(sync_device::revoke(&db, device, now).await?) }).await?;
    state.events.recheck(&caller.user_id);
    Ok(())
}

/// A device that keeps syncing need never log in again. Failing to note it must not fail the sync.
async fn note_seen(state: &AppState, device: &sync_device::Found) {
    let now = state.now();
    if device
        .last_seen_at
        .is_some_and(|seen| (TimeDelta::zero()..SEEN_EVERY).contains(&(now - seen)))
    {
        return;
    }
    let (db, id, end) = (
        state.db.write.clone(),
        device.id,
        device.expires_at.max(state.token_end(now)),
    );
    if let Err(error) =
        detached(async move { Ok(sync_device::seen(&db, id, now, end).await?) }).await
    {
        tracing::warn!(device = id, %error, "cannot note when a device was seen");
    }
}

/// What is stored of a token. It has 256 random bits, so a plain hash is enough.
fn hash(token: &str) -> String {
    hex(&Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_the_sha_256_of_the_token() {
        assert_eq!(
            hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn tokens_have_256_bits_and_differ() {
        assert_eq!(random_token().len(), 43);
        assert_ne!(random_token(), random_token());
    }
}
