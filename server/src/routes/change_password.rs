//! `POST /api/auth/change-password`: another password, and an end to all that was logged in with the old one.

use axum::{Json, extract::State, response::AppendHeaders};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::sign_in::{self, Answer, Cookies};
use crate::{
    AppState, Error,
    auth::{
        password_change,
        session::{self, SessionUser},
    },
    extract::ApiJson,
    openapi::errors,
};

/// The present password and the one to come.
#[derive(Deserialize, ToSchema)]
#[schema(as = ChangePasswordRequest)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    current_password: String,
    new_password: String,
    /// Whether this session, too, is to get another token. All others end in any case.
    revoke_other_sessions: Option<bool>,
}

/// The answer has a token only if there is a new one.
#[utoipa::path(
    post,
    path = "/api/auth/change-password",
    tag = "login",
    request_body = Request,
    security(("session" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "The password is changed; all sync tokens and other sessions have ended.", body = Answer),
        errors::WithLogin
    ),
)]
pub(crate) async fn change_password(
    State(state): State<AppState>,
    session: SessionUser,
    headers: HeaderMap,
    ApiJson(request): ApiJson<Request>,
) -> Result<(Cookies, Json<Answer>), Error> {
    let Request {
        current_password,
        new_password,
        ..
    } = request;
    let login = password_change::change(&state, &session, current_password, new_password).await?;
    if request.revoke_other_sessions == Some(true) {
        session::end(&state, &headers).await?;
        return sign_in::begin(&state, login, &headers, true).await;
    }
    let answer = Answer {
        token: None,
        user: login.account,
    };
    Ok((AppendHeaders(Vec::new()), Json(answer)))
}
