//! The session of somebody who logged in with a password: short-lived, good for a sync token only.

use axum::extract::FromRequestParts;
use chrono::TimeDelta;
use http::{HeaderMap, header, request::Parts};
use sync_core::{retry::retry, tx};

use super::{accounts::Login, bearer, random_token};
use crate::{AppState, Error, store, task::detached};

const DAY_S: i64 = 24 * 60 * 60;
/// How long a remembered session lasts.
const REMEMBERED_S: i64 = 7 * DAY_S;
/// How long one lasts that should end with the browser.
const FORGOTTEN_S: i64 = DAY_S;
const LONGEST_USER_AGENT: usize = 255;

/// A session just begun.
pub(crate) struct NewSession {
    pub(crate) token: String,
    /// The `Set-Cookie` header that hands it to a browser.
    pub(crate) cookie: String,
}

/// The sender of this request, if there is a live session and no ban.
pub(crate) struct SessionUser {
    pub(crate) user_id: String,
    pub(crate) token: String,
}

impl FromRequestParts<AppState> for SessionUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let token = shown(state, &parts.headers).ok_or(Error::Unauthorized)?;
        let session = store::session::find(&state.db.read, &token).await?;
        let session = session
            .filter(|session| session.expires_at > state.now())
            .ok_or(Error::Unauthorized)?;
        if session.ban.is_on(state.now()) {
            return Err(Error::Banned);
        }
        Ok(Self {
            user_id: session.user_id,
            token,
        })
    }
}

/// Begins a session under a token nobody knew before. One that the browser still showed ends.
pub(crate) async fn begin(
    state: &AppState,
    login: &Login,
    headers: &HeaderMap,
    remember: bool,
) -> Result<NewSession, Error> {
    let lasts_s = if remember { REMEMBERED_S } else { FORGOTTEN_S };
    let token = random_token();
    let now = state.now();
    let session = store::session::Model {
        id: state.ids.next(),
        expires_at: now + TimeDelta::seconds(lasts_s),
        token: token.clone(),
        created_at: now,
        updated_at: now,
        user_agent: user_agent(headers),
        user_id: login.account.id.clone(),
    };
    let cookie = state.cookies.set(&token, remember.then_some(lasts_s));
    let before = state.cookies.token(headers);
    insert(state, session, login.hash.clone(), before).await?;
    Ok(NewSession { token, cookie })
}

/// The password that was checked must still be the user's: a login that overlaps with a change of the
/// password would outlive it.
async fn insert(
    state: &AppState,
    session: store::session::Model,
    checked: Option<String>,
    before: Option<String>,
) -> Result<(), Error> {
    let db = state.db.write.clone();
    let insert = async move || {
        let tx = tx::begin_write(&db).await?;
        store::user::lock(&tx, &session.user_id).await?;
        if store::account::password_of(&tx, &session.user_id).await? != checked {
            return Err(Error::WrongPassword);
        }
        if let Some(before) = &before {
            store::session::delete(&tx, before).await?;
        }
        store::session::insert(&tx, session.clone()).await?;
        Ok(tx.commit().await?)
    };
    detached(async move { retry(|| insert()).await }).await
}

/// Ends the session a request shows, if it shows one. The answer is the `Set-Cookie` header that clears it.
pub(crate) async fn end(state: &AppState, headers: &HeaderMap) -> Result<String, Error> {
    if let Some(token) = shown(state, headers) {
        let db = state.db.write.clone();
        detached(async move { Ok(store::session::delete(&db, &token).await?) }).await?;
    }
    Ok(state.cookies.clear())
}

/// The session token of a request: as a bearer token, signed or not, or else in the cookie.
fn shown(state: &AppState, headers: &HeaderMap) -> Option<String> {
    match bearer::token(headers) {
        Some(signed) if signed.contains('.') => state.cookies.verify(signed),
        Some(plain) => Some(plain.to_owned()),
        None => state.cookies.token(headers),
    }
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(LONGEST_USER_AGENT).collect())
}
