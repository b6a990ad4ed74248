//! `GET /api/sync/events`: a device listens for hints that its feed has moved.

use axum::{extract::State, response::Response};
use http::request::Parts;
use sync_core::protocol::FeedHint;

use crate::{
    AppState, Error,
    auth::sync_token::SyncCaller,
    events::{Full, hints},
    openapi::errors,
};

#[utoipa::path(
    get,
    path = "/api/sync/events",
    tag = "sync",
    security(("sync_token" = [])),
    responses(
        (
            status = 200,
            description = "Server-sent events: `feed` with how far the feed has come, the first one at once. \
                           Comments in between only keep the connection alive.",
            body = FeedHint,
            content_type = "text/event-stream"
        ),
        errors::WithLogin
    ),
)]
pub(crate) async fn events(
    State(state): State<AppState>,
    SyncCaller(caller): SyncCaller,
    request: Parts,
) -> Result<Response, Error> {
    hints(state, request, &caller.user_id).map_err(|full| match full {
        Full::Account => Error::TooManyListeners,
        Full::Process => Error::Busy("as many devices listen as this process can take"),
    })
}
