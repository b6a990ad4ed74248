//! `POST /api/auth/sign-up/email`: a new account, logged in at once if it may. Can be switched off.

use axum::{Json, extract::State, response::AppendHeaders};
use http::HeaderMap;
use serde::Deserialize;
use sync_core::protocol::ErrorBody;
use utoipa::ToSchema;

use super::sign_in::{self, Answer, Cookies};
use crate::{
    AppState, Error,
    auth::{
        accounts::{self, NewAccount},
        place::Place,
    },
    extract::ApiJson,
    openapi::errors,
};

/// Who wants an account.
#[derive(Deserialize, ToSchema)]
#[schema(as = SignUpRequest)]
pub(crate) struct Request {
    #[schema(format = Email, max_length = 254)]
    email: String,
    #[schema(min_length = 8, max_length = 128)]
    password: String,
    #[schema(max_length = 200)]
    name: Option<String>,
}

#[utoipa::path(
    post,
    path = "/api/auth/sign-up/email",
    tag = "login",
    request_body = Request,
    responses(
        (status = 200, description = "A new account, logged in.", body = sign_in::Answer),
        (status = 409, description = "`email_taken`: there is such an account.", body = ErrorBody),
        errors::WithLogin
    ),
)]
pub(crate) async fn sign_up(
    State(state): State<AppState>,
    place: Place,
    headers: HeaderMap,
    ApiJson(request): ApiJson<Request>,
) -> Result<(Cookies, Json<Answer>), Error> {
    let new = NewAccount {
        email: request.email,
        password: request.password,
        name: request.name,
    };
    let login = accounts::sign_up(&state, &place, new).await?;
    if state.config.require_verified_email {
        let answer = Answer {
            token: None,
            user: login.account,
        };
        return Ok((AppendHeaders(Vec::new()), Json(answer)));
    }
    sign_in::begin(&state, login, &headers, true).await
}
