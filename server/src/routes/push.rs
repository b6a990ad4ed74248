//! `POST /api/sync/push`: a device sends what it changed.

use axum::{Json, extract::State};
use sync_core::protocol::PushAnswer;

use crate::{
    AppState, Error, auth::sync_token::SyncCaller, extract::JsonBytes, metrics, task::detached,
};

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
