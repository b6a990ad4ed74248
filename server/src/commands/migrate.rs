//! `zentrio-server migrate`.

use anyhow::Context;
use server::{AppState, Config};

/// Opening the database does it all; a failure leaves the schema as it was.
pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let state = AppState::open(config)
        .await
        .context("cannot bring the database up to date")?;
    state.close().await;
    tracing::info!("the database is up to date");
    Ok(())
}
