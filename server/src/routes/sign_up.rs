//! `POST /api/auth/sign-up/email`: a new account, logged in at once. Can be switched off.

use axum::extract::State;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::sign_in::{self, AnswerWithCookie};
use crate::{
    AppState, Error,
    auth::accounts::{self, NewAccount},
    extract::ApiJson,
    openapi::errors,
};

#[derive(Deserialize, ToSchema)]
#[schema(as = SignUpRequest)]
pub(crate) struct Request {
    email: String,
    password: String,
    name: Option<String>,
}

#[utoipa::path(
    post,
    path = "/api/auth/sign-up/email",
    tag = "login",
    request_body = Request,
    responses(
        (status = 200, description = "A new account, logged in.", body = sign_in::Answer),
        errors::WithLogin
    ),
)]
pub(crate) async fn sign_up(
    State(state): State<AppState>,
    headers: HeaderMap,
    ApiJson(request): ApiJson<Request>,
) -> Result<AnswerWithCookie, Error> {
    if !state.config.allow_sign_up {
        return Err(Error::SignUpDisabled);
    }
    let new = NewAccount {
        email: request.email,
        password: request.password,
        name: request.name,
    };
    let account = accounts::create(&state, new).await?;
    sign_in::answer(&state, account, &headers, true).await
}
