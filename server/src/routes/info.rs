//! `GET /api/sync/info`: what a device should know before it syncs.

use axum::{Json, extract::State};
use sync_core::protocol::Info;

use crate::{AppState, Error, auth::sync_token::SyncCaller, openapi::errors, task::detached};

#[utoipa::path(
    get,
    path = "/api/sync/info",
    tag = "sync",
    security(("sync_token" = [])),
    responses(
        (status = 200, description = "What the server takes at once.", body = Info),
        errors::Sync
    ),
)]
pub(crate) async fn info(
    State(state): State<AppState>,
    _caller: SyncCaller,
) -> Result<Json<Info>, Error> {
    detached(async move { Ok(Json(state.sync.info().await?)) }).await
}
