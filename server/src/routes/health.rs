//! `/healthz`: the process answers. `/readyz`: the database does too.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{AppState, Error, openapi::errors};

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
}

#[utoipa::path(
    get,
    path = "/healthz",
    tag = "server",
    responses(
        (status = 200, description = "The process answers.", body = Health),
        errors::Open
    ),
)]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Asks a reader: the writer may rightly be busy for a while.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "server",
    responses(
        (status = 200, description = "The database answers, too.", body = Health),
        errors::Open
    ),
)]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, Error> {
    state.db.read.ping().await?;
    Ok(Json(Health { status: "ready" }))
}
