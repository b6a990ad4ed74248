//! `GET /api/sync/devices`: the account's devices. `DELETE /api/sync/devices/{id}`: ends the login of one.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use sync_core::protocol::DevicesAnswer;

use crate::{
    AppState, Error,
    auth::devices::{self, AccountCaller},
};

pub(crate) async fn list(
    State(state): State<AppState>,
    caller: AccountCaller,
) -> Result<Json<DevicesAnswer>, Error> {
    let devices = devices::of_caller(&state, &caller).await?;
    Ok(Json(DevicesAnswer { devices }))
}

/// A device of another account is as unknown as nobody's.
pub(crate) async fn revoke(
    State(state): State<AppState>,
    caller: AccountCaller,
    id: Option<Path<String>>,
) -> Result<StatusCode, Error> {
    let Path(id) = id.ok_or(Error::UnknownDevice)?;
    devices::revoke(&state, &caller.user_id, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
