//! `GET /api/openapi.json`: what this server answers, for programs that write clients.

use axum::{Json, extract::State};
use utoipa::openapi::OpenApi;

use crate::{AppState, openapi};

#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "server",
    responses((status = 200, description = "This document.", body = Object))
)]
pub(crate) async fn openapi(State(state): State<AppState>) -> Json<OpenApi> {
    Json(openapi::description(state.sync.registry()))
}
