//! `GET /api/sync/info`: what a device should know before it syncs.

use axum::{Json, extract::State};
use sync_core::protocol::Info;

use crate::{AppState, Error, auth::sync_token::SyncCaller, task::detached};

pub(crate) async fn info(
    State(state): State<AppState>,
    _caller: SyncCaller,
) -> Result<Json<Info>, Error> {
    detached(async move { Ok(Json(state.sync.info().await?)) }).await
}
