//! `GET /api/auth/get-session`: whose session this is; `null` without one.

use axum::{Json, extract::State};
use serde::Serialize;
use sync_core::Millis;
use utoipa::ToSchema;

use crate::{
    AppState, Error,
    auth::{accounts::Account, session::SessionUser},
    openapi::errors,
    store,
};

/// A session and its user, in Better Auth's words.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionAnswer)]
pub(crate) struct Answer {
    session: Session,
    user: Account,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Session {
    id: String,
    user_id: String,
    token: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Millis,
    user_agent: Option<String>,
}

#[utoipa::path(
    get,
    path = "/api/auth/get-session",
    tag = "login",
    security((), ("session" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "The session and its user; `null` without one.", body = Option<Answer>),
        errors::WithLogin
    ),
)]
pub(crate) async fn get_session(
    State(state): State<AppState>,
    session: Result<SessionUser, Error>,
) -> Result<Json<Option<Answer>>, Error> {
    let token = match session {
        Ok(session) => session.token,
        Err(Error::Unauthorized) => return Ok(Json(None)),
        Err(error) => return Err(error),
    };
    let Some(session) = store::session::by_token(&state.db.read, &token).await? else {
        return Ok(Json(None));
    };
    let user = store::user::by_id(&state.db.read, &session.user_id).await?;
    Ok(Json(user.map(|user| Answer {
        session: session.into(),
        user: user.into(),
    })))
}

impl From<store::session::Model> for Session {
    fn from(session: store::session::Model) -> Self {
        Self {
            id: session.id,
            user_id: session.user_id,
            token: session.token,
            created_at: session.created_at.into(),
            updated_at: session.updated_at.into(),
            expires_at: session.expires_at.into(),
            user_agent: session.user_agent,
        }
    }
}
