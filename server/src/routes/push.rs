//! `POST /api/sync/push`: a device sends what it changed.

use axum::{Json, extract::State};
use sync_core::protocol::PushAnswer;

use crate::{AppState, Error, auth::sync_token::SyncCaller, extract::JsonBytes, task::detached};

pub(crate) async fn push(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
    JsonBytes(body): JsonBytes,
) -> Result<Json<PushAnswer>, Error> {
    detached(async move { Ok(Json(state.sync.push(&caller, &body).await?)) }).await
}
