//! The endpoints that the app's own front end calls, in the shapes it knows; no answer holds a token.
//!
//! They take proof as well: our own origin, one of `--allow-origin`, or the secret that stands beside the database
//! as `Authorization: Bearer`.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync_core::Millis;

use super::{PageState, door::From, guard::refused};
use crate::{Activity, AdapterError, DEFAULT_SERVER, Grant, LocalData, ServerUrl, SyncStatus};

/// The row that the front end knows as the state of the sync.
#[derive(Serialize)]
struct SyncState {
    id: u8,
    remote_url: Option<String>,
    remote_user_id: Option<String>,
    last_sync_at: Option<String>,
    is_syncing: bool,
    /// Beyond what it knows: rows that wait to be sent.
    pending_changes: u64,
    /// Beyond what it knows: why the last sync failed.
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connecting {
    remote_url: String,
    token: String,
    user_id: String,
    /// Beyond what it sends: what becomes of the data that is here.
    #[serde(default)]
    local_data: Answer,
}

/// What becomes of the data that is here, if the front end has asked.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    #[default]
    Ask,
    Merge,
    SetAside,
}

impl std::convert::From<Answer> for LocalData {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Ask => Self::Ask,
            Answer::Merge => Self::Merge,
            Answer::SetAside => Self::SetAside,
        }
    }
}

/// Lets those in who prove that they may.
pub(super) async fn prove(
    State(state): State<PageState>,
    Extension(from): Extension<From>,
    request: Request,
    next: Next,
) -> Response {
    let bearer = request.headers().get(header::AUTHORIZATION);
    let bearer = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let is_proven = match (&from, bearer) {
        (From::Own | From::Allowed(_), _) => true,
        (From::Unsaid, Some(word)) => state.secret.is(word),
        _ => false,
    };
    if is_proven {
        next.run(request).await
    } else {
        refused()
    }
}

/// `GET /api/sync/status`
pub(super) async fn status(State(state): State<PageState>) -> Json<SyncStateOrNull> {
    let status = state.sync.status().borrow().clone();
    Json(SyncStateOrNull(known(&status)))
}

/// `null` where nothing was ever connected, as the front end expects.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct SyncStateOrNull(Option<SyncState>);

/// `GET /api/sync/config`
pub(super) async fn config(State(state): State<PageState>) -> Json<Value> {
    let status = state.sync.status().borrow().clone();
    let state = known(&status);
    let url = state.as_ref().and_then(|state| state.remote_url.clone());
    Json(json!({
        "mode": if url.is_some() { "cloud" } else { "unconfigured" },
        "serverUrl": url.unwrap_or_else(|| DEFAULT_SERVER.to_owned()),
        "isConnected": status.overview.status.connected,
        "syncState": state,
    }))
}

fn known(status: &SyncStatus) -> Option<SyncState> {
    let known = &status.overview.status;
    known.remote_url.as_ref()?;
    Some(SyncState {
        id: 1,
        remote_url: known.remote_url.clone(),
        remote_user_id: known.user_id.clone(),
        last_sync_at: known.last_sync_ms.map(|ms| Millis(ms).to_string()),
        is_syncing: matches!(status.activity, Activity::Syncing { .. }),
        pending_changes: status.overview.n_pending,
        error: status
            .problem
            .as_ref()
            .map(|problem| problem.message.clone()),
    })
}

/// `POST /api/sync/connect`
pub(super) async fn connect(
    State(state): State<PageState>,
    Json(connecting): Json<Connecting>,
) -> Response {
    let Connecting {
        remote_url,
        token,
        user_id,
        local_data,
    } = connecting;
    let url = match ServerUrl::parse(&remote_url, false) {
        Ok(url) => url,
        Err(error) => return failed(&error),
    };
    let grant = Grant {
        url,
        user_id,
        token,
        local_data: local_data.into(),
    };
    match state.sync.connect_with(&grant).await {
        Ok(_) => succeeded(),
        Err(error) => failed(&error),
    }
}

/// `POST /api/sync/sync`: answered when the sync has ended.
pub(super) async fn sync(
    State(state): State<PageState>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_plain(&headers, &body) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let sync = state.sync.clone();
    match tokio::spawn(async move { sync.sync_now().await }).await {
        Ok(Ok(_)) => succeeded(),
        Ok(Err(error)) => failed(&error),
        Err(_) => failed(&Arc::new(AdapterError::Panicked)),
    }
}

/// `POST /api/sync/trigger`: the front end is looked at again, or its network is back. Answered at once.
pub(super) async fn trigger(
    State(state): State<PageState>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_plain(&headers, &body) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    state.sync.notify(crate::Trigger::Online);
    succeeded()
}

/// `POST /api/sync/disconnect`
pub(super) async fn disconnect(
    State(state): State<PageState>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_plain(&headers, &body) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    match state.sync.disconnect().await {
        Ok(_) => succeeded(),
        Err(error) => failed(&error),
    }
}

/// Whether a request that needs no body has none, or one that no form can send.
fn is_plain(headers: &HeaderMap, body: &Bytes) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()?.split(';').next());
    match kind {
        Some(kind) => kind.trim().eq_ignore_ascii_case("application/json"),
        None => body.is_empty(),
    }
}

fn succeeded() -> Response {
    Json(json!({ "success": true })).into_response()
}

/// With a status as the front end expects it, and words.
fn failed(error: &AdapterError) -> Response {
    let body = json!({ "success": false, "error": error.to_string(), "code": error.word() });
    let status = match error {
        AdapterError::Url { .. } | AdapterError::Usage(_) => StatusCode::BAD_REQUEST,
        AdapterError::OtherAccount { .. } => StatusCode::CONFLICT,
        AdapterError::Sync(error) if error.is_offline() => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Json(body)).into_response()
}
