//! `GET /api/sync/devices`: the account's devices. `DELETE /api/sync/devices/{id}`: ends the login of one.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use http::StatusCode;
use sync_core::protocol::{DevicesAnswer, ErrorBody};

use crate::{
    AppState, Error,
    auth::devices::{self, AccountCaller},
    openapi::errors,
};

#[utoipa::path(
    get,
    path = "/api/sync/devices",
    tag = "login",
    security(("sync_token" = []), ("session" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "The account's devices.", body = DevicesAnswer),
        errors::WithLogin
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    caller: AccountCaller,
) -> Result<Json<DevicesAnswer>, Error> {
    let devices = devices::of_caller(&state, &caller).await?;
    Ok(Json(DevicesAnswer {
        user_id: caller.user_id,
        devices,
    }))
}

/// A device of another account is as unknown as nobody's.
#[utoipa::path(
    delete,
    path = "/api/sync/devices/{id}",
    tag = "login",
    params(("id" = String, Path, description = "The device's id, as the list has it.")),
    security(("sync_token" = []), ("session" = []), ("cookie" = [])),
    responses(
        (status = 204, description = "The device has to log in again."),
        (status = 404, description = "`unknown_device`: the account has no such device.", body = ErrorBody),
        errors::WithLogin
    ),
)]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    caller: AccountCaller,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Error> {
    // What is no text is no device's id either.
    let Path(id) = id.map_err(|_| Error::UnknownDevice)?;
    devices::revoke(&state, &caller.user_id, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
