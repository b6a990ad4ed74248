//! Taking connections: with a limit to how many there are, how long one may be silent, and how slow it may
//! read. axum's own loop has none of these.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::watch,
    time,
};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::connections::{Connections, Place};

/// What one connection may do.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Most connections at once.
    pub most: usize,
    /// Most of them from one address, unless it is private: a reverse proxy's.
    pub most_per_address: usize,
    /// How long the head of a request may take, and how long a connection may wait between two requests.
    pub head: Duration,
    /// How long the other end may take nothing of an answer.
    pub write: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            most: 1_024,
            most_per_address: 64,
            head: Duration::from_secs(30),
            write: Duration::from_secs(60),
        }
    }
}

/// Most bytes of a request's head. Twice the longest address that is told from a broken request.
const HEAD_BYTES: usize = 128 << 10;
const MOST_HEADERS: usize = 100;
/// How long is waited where no connection can be taken, such as for want of file descriptors.
const BREATH: Duration = Duration::from_millis(200);
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Serves until it is told to stop; then the requests that run come to their end.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    limits: ConnectionLimits,
    mut stop: watch::Receiver<bool>,
) {
    let connections = Connections::new(limits.most, limits.most_per_address);
    let ending = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            // A sender that is gone means the same.
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match connections.admit(peer.ip()) {
                Some(place) => one(stream, peer, place, &app, limits, &ending),
                None => refuse(stream),
            },
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, open = connections.count(), "cannot take a connection");
                time::sleep(BREATH).await;
            }
        }
        crate::metrics::connections(connections.count());
    }
    drop(listener);
    ending.shutdown().await;
}

fn one(
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    app: &Router,
    limits: ConnectionLimits,
    ending: &GracefulShutdown,
) {
    // Answers are written in one go: waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write));
    let app = app.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            app.oneshot(request)
                .await
                .map_err(|never: Infallible| never)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let connection = ending.watch(connection);
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

/// Without waiting for anything: the loop must go on.
fn refuse(mut stream: TcpStream) {
    tokio::spawn(async move {
        let _ = time::timeout(BREATH, stream.write_all(NO_PLACE)).await;
    });
}

/// The other end went away before it was taken: nothing is wrong here.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
