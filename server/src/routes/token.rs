//! `POST /api/sync/token`: a session becomes a device's sync token. `DELETE`: the device gives it back.

use axum::{Json, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use sync_core::Millis;
use utoipa::ToSchema;

use crate::{
    AppState, Error,
    auth::{
        devices,
        session::SessionUser,
        sync_token::{self, DeviceName, SyncCaller},
    },
    extract::OptionalJson,
    openapi::errors,
};

const LONGEST_DEVICE_NAME: usize = 200;

/// Both may be missing: the app's settings page sends no body.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = TokenRequest)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    /// What the installation calls itself, the same each time.
    device_id: Option<String>,
    /// What its user calls it.
    device_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TokenAnswer)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    sync_token: String,
    user_id: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Millis,
}

#[utoipa::path(
    post,
    path = "/api/sync/token",
    tag = "login",
    request_body = Option<Request>,
    security(("session" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "A token for a device.", body = Answer),
        errors::WithLogin
    ),
)]
pub(crate) async fn issue(
    State(state): State<AppState>,
    session: SessionUser,
    OptionalJson(request): OptionalJson<Request>,
) -> Result<Json<Answer>, Error> {
    let device = request.device(&state)?;
    let user_id = session.user_id.clone();
    let new = sync_token::issue(&state, session, device).await?;
    Ok(Json(Answer {
        sync_token: new.token,
        user_id,
        expires_at: new.expires_at.into(),
    }))
}

#[utoipa::path(
    delete,
    path = "/api/sync/token",
    tag = "login",
    security(("sync_token" = [])),
    responses(
        (status = 204, description = "The token is good for nothing any more."),
        errors::WithLogin
    ),
)]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
) -> Result<StatusCode, Error> {
    sync_token::revoke(&state, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Request {
    fn device(self, state: &AppState) -> Result<DeviceName, Error> {
        let id = self.device_id.unwrap_or_else(|| state.ids.next());
        if !devices::is_id(&id) {
            return Err(Error::BadBody(
                "deviceId has 1 to 64 visible ASCII characters.".to_owned(),
            ));
        }
        let shown = |c: &char| !c.is_control();
        let name = self.device_name.map(|name| {
            name.chars()
                .filter(shown)
                .take(LONGEST_DEVICE_NAME)
                .collect()
        });
        Ok(DeviceName { id, name })
    }
}
