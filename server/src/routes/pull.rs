//! `GET /api/sync/pull?cursor=&limit=`: a device asks what changed behind its cursor.

use axum::{Json, extract::State};
use sync_core::{protocol::PullPage, server::PullQuery};

use crate::{
    AppState, Error, auth::sync_token::SyncCaller, extract::ApiQuery, openapi::errors,
    task::detached,
};

/// Keys of the query that it does not know are ignored, so that it can answer a newer device.
#[utoipa::path(
    get,
    path = "/api/sync/pull",
    tag = "sync",
    params(PullQuery),
    security(("sync_token" = [])),
    responses(
        (status = 200, description = "What changed behind the cursor.", body = PullPage),
        errors::Sync
    ),
)]
pub(crate) async fn pull(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
    ApiQuery(query): ApiQuery<PullQuery>,
) -> Result<Json<PullPage>, Error> {
    detached(async move { Ok(Json(state.sync.pull(&caller, &query).await?)) }).await
}
