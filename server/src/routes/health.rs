//! `/healthz`: the process answers. `/readyz`: the database does too.

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{AppState, Error};

#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
}

pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Asks a reader: the writer may rightly be busy for a while.
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, Error> {
    state.db.read.ping().await?;
    Ok(Json(Health { status: "ready" }))
}
