//! `POST /api/sync/compare`: a device asks for checksums of what the server has.

use axum::{Json, extract::State};
use sync_core::protocol::CompareAnswer;

use crate::{AppState, Error, auth::sync_token::SyncCaller, extract::JsonBytes, task::detached};

pub(crate) async fn compare(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
    JsonBytes(body): JsonBytes,
) -> Result<Json<CompareAnswer>, Error> {
    detached(async move { Ok(Json(state.sync.compare(&caller, &body).await?)) }).await
}
