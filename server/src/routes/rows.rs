//! `POST /api/sync/rows`: a device asks for rows by their names.

use axum::{Json, extract::State};
use sync_core::protocol::{RowsAnswer, RowsRequest};

use crate::{
    AppState, Error, auth::sync_token::SyncCaller, extract::JsonBytes, openapi::errors,
    task::detached,
};

#[utoipa::path(
    post,
    path = "/api/sync/rows",
    tag = "sync",
    request_body = RowsRequest,
    security(("sync_token" = [])),
    responses(
        (status = 200, description = "The rows that there are.", body = RowsAnswer),
        errors::Sync
    ),
)]
pub(crate) async fn rows(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
    JsonBytes(body): JsonBytes,
) -> Result<Json<RowsAnswer>, Error> {
    detached(async move { Ok(Json(state.sync.rows(&caller, &body).await?)) }).await
}
