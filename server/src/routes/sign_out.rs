//! `POST /api/auth/sign-out`: ends the session shown. Without one there is nothing to do.

use axum::{Json, extract::State, response::AppendHeaders};
use http::{HeaderMap, HeaderName, header};
use serde::Serialize;

use crate::{AppState, Error, auth::session};

#[derive(Serialize)]
pub(crate) struct Answer {
    success: bool,
}

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
