//! `GET /api/sync/events`: a device listens for hints that its feed has moved.

use axum::{extract::State, response::Response};
use http::request::Parts;

use crate::{
    AppState, Error,
    auth::sync_token::SyncCaller,
    events::{Full, hints},
};

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
