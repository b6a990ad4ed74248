//! A server that runs, and how it is stopped.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time};

use crate::{
    AppState, Error, app,
    garbage::{self, Schedule},
};

/// How long requests may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// A running server. Dropped, it is told to stop, but nobody waits for it.
#[must_use = "dropping it stops the server"]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<io::Result<()>>,
    collecting: JoinHandle<()>,
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
    let (stop, mut stopped) = watch::channel(false);
    let collecting = garbage::collect_for_ever(state.clone(), schedule, stopped.clone());
    let stopped = async move {
        // An error means the sender is gone, and that means stop too.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let service = app(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stopped);
    Ok(Running {
        address,
        stop,
        serving: tokio::spawn(async move { serving.await }),
        collecting: tokio::spawn(collecting),
        state,
    })
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

    /// Takes no more requests, lets the running ones end, closes the database.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stop.send_replace(true);
        match time::timeout(GRACE, &mut self.serving).await {
            Ok(ended) => ended??,
            Err(_) => {
                tracing::warn!("requests still run; cutting them off");
                self.serving.abort();
            }
        }
        if time::timeout(GRACE, &mut self.collecting).await.is_err() {
            tracing::warn!("tombstones are still being forgotten; cutting that off");
            self.collecting.abort();
        }
        self.state.close().await;
        Ok(())
    }
}
