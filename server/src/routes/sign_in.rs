//! `POST /api/auth/sign-in/email`: a password becomes a session.

use axum::{Json, extract::State, response::AppendHeaders};
use http::{HeaderMap, HeaderName, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AppState, Error,
    auth::{
        accounts::{self, Account, Login},
        place::Place,
        session,
    },
    extract::ApiJson,
    openapi::errors,
};

/// Who wants to log in.
#[derive(Deserialize, ToSchema)]
#[schema(as = SignInRequest)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    email: String,
    password: String,
    /// Whether the session may outlive the browser; it may unless this is `false`.
    remember_me: Option<bool>,
}

/// Who is logged in now, also by a cookie in the header.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInAnswer)]
pub(crate) struct Answer {
    /// The session's token; none where the account cannot log in yet.
    pub(crate) token: Option<String>,
    pub(crate) user: Account,
}

/// Headers that set a cookie, or none.
pub(crate) type Cookies = AppendHeaders<Vec<(HeaderName, String)>>;

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
    place: Place,
    headers: HeaderMap,
    ApiJson(request): ApiJson<Request>,
) -> Result<(Cookies, Json<Answer>), Error> {
    let login = accounts::authenticate(&state, &place, &request.email, request.password).await?;
    let remember = request.remember_me.unwrap_or(true);
    begin(&state, login, &headers, remember).await
}

/// Begins a session and hands it over.
pub(crate) async fn begin(
    state: &AppState,
    login: Login,
    headers: &HeaderMap,
    remember: bool,
) -> Result<(Cookies, Json<Answer>), Error> {
    let session = session::begin(state, &login, headers, remember).await?;
    Ok((
        AppendHeaders(vec![(header::SET_COOKIE, session.cookie)]),
        Json(Answer {
            token: Some(session.token),
            user: login.account,
        }),
    ))
}
