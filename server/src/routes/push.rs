//! `POST /api/sync/push`: a device sends what it changed.

use axum::{Json, extract::State};
use sync_core::protocol::{PushAnswer, PushRequest};

use crate::{
    AppState, Error, auth::sync_token::SyncCaller, extract::JsonBytes, metrics, openapi::errors,
    task::detached,
};

#[utoipa::path(
    post,
    path = "/api/sync/push",
    tag = "sync",
    request_body = PushRequest<'_>,
    security(("sync_token" = [])),
    responses(
        (status = 200, description = "A verdict for every row.", body = PushAnswer),
        errors::Sync
    ),
)]
pub(crate) async fn push(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
    JsonBytes(body): JsonBytes,
) -> Result<Json<PushAnswer>, Error> {
    detached(async move {
        let answer = state.sync.push(&caller, &body).await?;
        metrics::pushed(&answer);
        Ok(Json(answer))
    })
    .await
}
