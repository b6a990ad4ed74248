//! The way of an app's background job to a real server, with a switch in it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use app_adapter::{Hints, Http, Network};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, header::RETRY_AFTER};
use sync_core::{SyncError, Transport, TransportError};
use tokio::sync::watch;

/// What becomes of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They go through.
    Open,
    /// They wait until the way is another.
    Held,
    /// There is no network.
    Offline,
    /// The server cannot answer now, and asks to wait so many seconds.
    Unavailable(u64),
    /// Somebody's code panics, once; then the way is open.
    Panics,
}

/// A network with a switch. Clones are the same network.
#[derive(Clone)]
pub struct Switched(Arc<Shared>);

struct Shared {
    way: watch::Sender<Way>,
    n_sent: AtomicU64,
    now: AtomicU64,
    most: AtomicU64,
    tokens: Mutex<Vec<String>>,
}

impl Default for Switched {
    fn default() -> Self {
        Self(Arc::new(Shared {
            way: watch::Sender::new(Way::Open),
            n_sent: AtomicU64::new(0),
            now: AtomicU64::new(0),
            most: AtomicU64::new(0),
            tokens: Mutex::default(),
        }))
    }
}

impl Switched {
    /// Sets the switch.
    pub fn set(&self, way: Way) {
        self.0.way.send_replace(way);
    }

    /// Requests that were made.
    #[must_use]
    pub fn n_sent(&self) -> u64 {
        self.0.n_sent.load(Ordering::SeqCst)
    }

    /// How many requests were under way at once at the most.
    #[must_use]
    pub fn most_at_once(&self) -> u64 {
        self.0.most.load(Ordering::SeqCst)
    }

    /// Waits until a request is held.
    ///
    /// # Errors
    /// If none ever is.
    pub async fn holds(&self) -> anyhow::Result<()> {
        let holds = async {
            while self.0.now.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        Ok(tokio::time::timeout(std::time::Duration::from_secs(60), holds).await?)
    }

    /// The tokens that requests have shown.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        let tokens = self.0.tokens.lock();
        tokens.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn shown(&self, token: Option<&String>) {
        let mut tokens = self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.extend(token.cloned());
    }
}

#[async_trait]
impl Network for Switched {
    fn transport(
        &self,
        url: &str,
        token: Option<String>,
    ) -> Result<Box<dyn Transport>, TransportError> {
        self.shown(token.as_ref());
        Ok(Box::new(Passing {
            to: Http.transport(url, token)?,
            network: self.clone(),
        }))
    }

    async fn hints(&self, url: &str, token: String) -> Result<Option<Box<dyn Hints>>, SyncError> {
        match *self.0.way.borrow() {
            Way::Open => {}
            _ => return Err(TransportError::offline("the switch is off").into()),
        }
        Http.hints(url, token).await
    }
}

struct Passing {
    to: Box<dyn Transport>,
    network: Switched,
}

#[async_trait]
impl Transport for Passing {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let shared = &self.network.0;
        shared.n_sent.fetch_add(1, Ordering::SeqCst);
        let now = shared.now.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(now, Ordering::SeqCst);
        let mut way = shared.way.subscribe();
        let way = way.wait_for(|way| *way != Way::Held).await.map(|way| *way);
        let answer = match way {
            Ok(Way::Offline) => Err(TransportError::offline("no connection to the server")),
            Ok(Way::Unavailable(seconds)) => Response::builder()
                .status(503)
                .header(RETRY_AFTER, seconds)
                .body(Bytes::new())
                .map_err(|error| TransportError::lost(error.to_string())),
            Ok(Way::Panics) => {
                shared.now.fetch_sub(1, Ordering::SeqCst);
                shared.way.send_replace(Way::Open);
                panic!("the test wants it so");
            }
            _ => self.to.send(request).await,
        };
        shared.now.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}
