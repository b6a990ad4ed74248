//! `POST /api/sync/rows`: a device asks for rows by their names.

use axum::{Json, extract::State};
use sync_core::protocol::RowsAnswer;

use crate::{AppState, Error, auth::sync_token::SyncCaller, extract::JsonBytes, task::detached};

pub(crate) async fn rows(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
    JsonBytes(body): JsonBytes,
) -> Result<Json<RowsAnswer>, Error> {
    detached(async move { Ok(Json(state.sync.rows(&caller, &body).await?)) }).await
}
