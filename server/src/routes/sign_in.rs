//! `POST /api/auth/sign-in/email`: a password becomes a session.

use axum::{Json, extract::State, response::AppendHeaders};
use http::{HeaderMap, HeaderName, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AppState, Error,
    auth::{
        accounts::{self, Account},
        session,
    },
    extract::ApiJson,
    openapi::errors,
};

#[derive(Deserialize, ToSchema)]
#[schema(as = SignInRequest)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    email: String,
    password: String,
    remember_me: Option<bool>,
}

/// Who is logged in now, also by a cookie in the header.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInAnswer)]
pub(crate) struct Answer {
    token: String,
    user: Account,
}

pub(crate) type AnswerWithCookie = (AppendHeaders<[(HeaderName, String); 1]>, Json<Answer>);

#[utoipa::path(
    post,
    path = "/api/auth/sign-in/email",
    tag = "login",
    request_body = Request,
    responses(
        (status = 200, description = "A session.", body = Answer),
        errors::WithLogin
    ),
)]
pub(crate) async fn sign_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    ApiJson(request): ApiJson<Request>,
) -> Result<AnswerWithCookie, Error> {
    let account = accounts::authenticate(&state, &request.email, request.password).await?;
    answer(
        &state,
        account,
        &headers,
        request.remember_me.unwrap_or(true),
    )
    .await
}

/// Begins a session and hands it over.
pub(crate) async fn answer(
    state: &AppState,
    user: Account,
    headers: &HeaderMap,
    remember: bool,
) -> Result<AnswerWithCookie, Error> {
    let session = session::begin(state, &user, headers, remember).await?;
    let cookie = AppendHeaders([(header::SET_COOKIE, session.cookie)]);
    Ok((
        cookie,
        Json(Answer {
            token: session.token,
            user,
        }),
    ))
}
