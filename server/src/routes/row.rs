//! `GET /api/sync/row?table=&remote_id=`: one row with all that is known of it, for people.

use axum::{Json, extract::State};
use sync_core::protocol::{RowAnswer, RowQuery};

use crate::{
    AppState, Error, auth::sync_token::SyncCaller, extract::ApiQuery, openapi::errors,
    store::sync_device, task::detached,
};

#[utoipa::path(
    get,
    path = "/api/sync/row",
    tag = "sync",
    params(RowQuery),
    security(("sync_token" = [])),
    responses(
        (status = 200, description = "All that is known of one row.", body = RowAnswer),
        errors::Sync
    ),
)]
pub(crate) async fn row(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
    ApiQuery(query): ApiQuery<RowQuery>,
) -> Result<Json<RowAnswer>, Error> {
    detached(async move {
        let mut answer = state.sync.row(&caller, &query).await?;
        let numbers: Vec<i64> = answer.devices.iter().map(|device| device.number).collect();
        let mut names = sync_device::names(&state.db.read, &caller.user_id, &numbers).await?;
        for device in &mut answer.devices {
            device.name = names.remove(&device.number);
        }
        Ok(Json(answer))
    })
    .await
}
