//! Serves the page, and stops.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time};

use super::{
    PageState, asking::Asking, assets, door::Door, forms, front_end, guard, live, secret::Secret,
    secret_file::SecretFile, sessions::Sessions, show,
};
use crate::{AdapterError, CloudSync};

/// More than any form of the page has.
const MOST_BYTES: usize = 16 << 10;
/// How long answers may take once the page is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How to serve the page.
#[derive(Clone, Debug)]
pub struct PageOptions {
    /// Where: an address of this machine alone.
    pub listen: SocketAddr,
    /// Other origins that may use the endpoints of the app's front end, such as `tauri://localhost`.
    pub allowed_origins: Vec<String>,
    /// The database, beside which the secret for programs is written; none for no secret.
    pub secret_beside: Option<PathBuf>,
}

/// A page that is served. Dropped, it is told to stop, but nobody waits for it.
#[must_use = "dropping it stops the page"]
pub struct Page {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    asking: Arc<Asking>,
    serving: JoinHandle<io::Result<()>>,
    _secret_file: Option<SecretFile>,
}

impl Page {
    /// Serves the page.
    ///
    /// # Errors
    /// If the address is not of this machine alone, or is taken.
    pub async fn serve(sync: CloudSync, options: PageOptions) -> Result<Self, AdapterError> {
        let listen = options.listen;
        if !listen.ip().to_canonical().is_loopback() {
            return Err(AdapterError::NotLoopback { listen });
        }
        let listener = TcpListener::bind(listen).await;
        let listener = listener.map_err(|source| AdapterError::Listen { listen, source })?;
        let address = listener.local_addr()?;
        let secret = Arc::new(Secret::random());
        let secret_file = match &options.secret_beside {
            Some(path) => Some(SecretFile::write(path, &url(address), &secret)?),
            None => None,
        };
        let (stop, stopped) = watch::channel(false);
        let asking = Arc::new(Asking::new(sync.clone()));
        let state = PageState {
            sync,
            door: Arc::new(Door::new(address.port(), options.allowed_origins)),
            sessions: Arc::new(Sessions::new(address.port())),
            asking: asking.clone(),
            secret,
            devices: Arc::default(),
            stopped: stopped.clone(),
        };
        let serving = axum::serve(listener, router(state)).with_graceful_shutdown(until(stopped));
        Ok(Self {
            address,
            stop,
            asking,
            serving: tokio::spawn(async move { serving.await }),
            _secret_file: secret_file,
        })
    }

    /// Where it is, for a browser.
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// Takes no more requests and lets the running ones end.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if time::timeout(GRACE, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
        self.asking.end().await;
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the page is gone, and that means stop, too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// No GET of these has an effect.
fn router(state: PageState) -> Router {
    let front_end = Router::new()
        .route("/api/sync/status", get(front_end::status))
        .route("/api/sync/config", get(front_end::config))
        .route("/api/sync/connect", post(front_end::connect))
        .route("/api/sync/sync", post(front_end::sync))
        .route("/api/sync/trigger", post(front_end::trigger))
        .route("/api/sync/disconnect", post(front_end::disconnect))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            front_end::prove,
        ));
    let page = Router::new()
        .route("/", get(show::show))
        .route("/live", get(live::live))
        .route("/page.css", get(assets::style))
        .route("/page.js", get(assets::script))
        .route("/connect", post(forms::connect))
        .route("/answer", post(forms::answer))
        .route("/sync", post(forms::sync))
        .route("/disconnect", post(forms::disconnect))
        .route("/choose", post(forms::choose))
        .route("/retry", post(forms::retry))
        .route("/discard", post(forms::discard))
        .route("/leave-out", post(forms::leave_out))
        .route("/log-out", post(forms::log_out))
        .layer(middleware::from_fn(guard::not_for_other_origins));
    page.merge(front_end)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}
