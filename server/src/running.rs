//! A server that runs, and how it is stopped.

use std::{net::SocketAddr, time::Duration};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time};

use crate::{
    AppState, Error, app,
    garbage::{self, Schedule},
    listen, metrics,
};

/// How long requests may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// A running server. Dropped, it is told to stop, but nobody waits for it.
#[must_use = "dropping it stops the server"]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    collecting: JoinHandle<()>,
    measuring: Option<(SocketAddr, JoinHandle<()>)>,
    state: AppState,
}

/// Serves on a listener that is bound already.
pub fn start(state: AppState, listener: TcpListener) -> Result<Running, Error> {
    start_with(state, listener, Schedule::daily())
}

/// The same with another time for the collection of garbage, for tests.
pub(crate) fn start_with(
    state: AppState,
    listener: TcpListener,
    schedule: Schedule,
) -> Result<Running, Error> {
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    state.events.end_when(stopped.clone());
    let collecting = garbage::collect_for_ever(state.clone(), schedule, stopped.clone());
    let limits = state.config.connections;
    let measuring = match state.config.metrics_listen {
        Some(address) => {
            let (listener, app) = (bind(address)?, metrics::router(state.clone()));
            let bound = listener.local_addr()?;
            let serving = listen::serve(listener, app, limits, stopped.clone());
            Some((bound, tokio::spawn(serving)))
        }
        None => None,
    };
    let serving = listen::serve(listener, app(state.clone()), limits, stopped);
    Ok(Running {
        address,
        stop,
        serving: tokio::spawn(serving),
        collecting: tokio::spawn(collecting),
        measuring,
        state,
    })
}

fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    let bound = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    });
    bound.map_err(|source| Error::Listen { address, source })
}

impl Running {
    /// The address it really listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it serves metrics, if it does.
    pub fn metrics_url(&self) -> Option<String> {
        let (address, _) = self.measuring.as_ref()?;
        Some(format!("http://{address}/metrics"))
    }

    /// Takes no more requests, lets the running ones end, closes the database.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stop.send_replace(true);
        match time::timeout(GRACE, &mut self.serving).await {
            Ok(ended) => ended?,
            Err(_) => tracing::warn!("requests still run; cutting them off"),
        }
        if let Some((_, measuring)) = self.measuring {
            measuring.abort();
        }
        if time::timeout(GRACE, &mut self.collecting).await.is_err() {
            tracing::warn!("tombstones are still being forgotten; cutting that off");
            self.collecting.abort();
        }
        self.state.close().await;
        Ok(())
    }
}
