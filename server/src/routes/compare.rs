//! `POST /api/sync/compare`: a device asks for checksums of what the server has.

use axum::{Json, extract::State};
use sync_core::protocol::{CompareAnswer, CompareRequest};

use crate::{
    AppState, Error, auth::sync_token::SyncCaller, extract::JsonBytes, openapi::errors,
    task::detached,
};

#[utoipa::path(
    post,
    path = "/api/sync/compare",
    tag = "sync",
    request_body = CompareRequest,
    security(("sync_token" = [])),
    responses(
        (status = 200, description = "Checksums of the account's rows.", body = CompareAnswer),
        errors::Sync
    ),
)]
pub(crate) async fn compare(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
    JsonBytes(body): JsonBytes,
) -> Result<Json<CompareAnswer>, Error> {
    detached(async move { Ok(Json(state.sync.compare(&caller, &body).await?)) }).await
}
