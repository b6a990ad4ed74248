//! `zentrio-server serve`.

use std::io;

use anyhow::Context;
use server::{AppState, Config, Error};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let state = AppState::open(config)
        .await
        .context("cannot open the database")?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|source| Error::Listen {
            address: config.listen,
            source,
        })?;
    let running = server::start(state, listener)?;
    // Not through the log: scripts wait for exactly this line, whatever the log's format and level.
    if let Some(url) = running.metrics_url() {
        eprintln!("metrics on {url}");
    }
    eprintln!("listening on {}", running.url());
    asked_to_stop().await.context("cannot wait for signals")?;
    tracing::info!("stopping");
    running.stop().await?;
    Ok(())
}

async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
