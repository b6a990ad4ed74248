//! `POST /api/auth/sign-out`: ends the session shown. Without one there is nothing to do.

use axum::{Json, extract::State, response::AppendHeaders};
use http::{HeaderMap, HeaderName, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{AppState, Error, auth::session, openapi::errors};

#[derive(Serialize, ToSchema)]
#[schema(as = SignOutAnswer)]
pub(crate) struct Answer {
    success: bool,
}

#[utoipa::path(
    post,
    path = "/api/auth/sign-out",
    tag = "login",
    security((), ("session" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "Logged out, if anybody was logged in.", body = Answer),
        errors::WithLogin
    ),
)]
pub(crate) async fn sign_out(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<(AppendHeaders<[(HeaderName, String); 1]>, Json<Answer>), Error> {
    let cookie = session::end(&state, &headers).await?;
    Ok((
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Json(Answer { success: true }),
    ))
}
