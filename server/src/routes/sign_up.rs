//! `POST /api/auth/sign-up/email`: a new account, logged in at once. Can be switched off.

use axum::extract::State;
use http::HeaderMap;
use serde::Deserialize;

use super::sign_in::{self, AnswerWithCookie};
use crate::{
    AppState, Error,
    auth::accounts::{self, NewAccount},
    extract::ApiJson,
};

#[derive(Deserialize)]
pub(crate) struct Request {
    email: String,
    password: String,
    name: Option<String>,
}

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
