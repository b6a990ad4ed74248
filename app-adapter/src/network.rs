//! How servers are reached: over HTTP, or in a test over whatever it brings.

use async_trait::async_trait;
use sync_core::{
    SyncError, Transport, TransportError,
    http_transport::{FeedHints, HttpTransport},
    protocol::FeedHint,
};

use crate::server_url::may_have;

/// Makes transports to servers.
#[async_trait]
pub trait Network: Send + Sync {
    /// A transport to the server at `url`, which shows `token` in every request if there is one.
    ///
    /// # Errors
    /// If `url` is not an address that can be asked. Nothing is sent yet.
    fn transport(
        &self,
        url: &str,
        token: Option<String>,
    ) -> Result<Box<dyn Transport>, TransportError>;

    /// Listens to the server for hints that there is something new; none if this network brings none.
    ///
    /// # Errors
    /// If the server cannot be listened to.
    async fn hints(&self, _url: &str, _token: String) -> Result<Option<Box<dyn Hints>>, SyncError> {
        Ok(None)
    }
}

/// Hints of a server, as they come.
#[async_trait]
pub trait Hints: Send {
    /// Waits for the next one; none when the server has ended them.
    ///
    /// # Errors
    /// If the connection broke.
    async fn next(&mut self) -> Result<Option<FeedHint>, SyncError>;
}

/// The internet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Http;

#[async_trait]
impl Network for Http {
    fn transport(
        &self,
        url: &str,
        token: Option<String>,
    ) -> Result<Box<dyn Transport>, TransportError> {
        Ok(Box::new(HttpTransport::within(url, token, may_have(url))?))
    }

    async fn hints(&self, url: &str, token: String) -> Result<Option<Box<dyn Hints>>, SyncError> {
        let transport = HttpTransport::within(url, Some(token), may_have(url))?;
        let hints = transport.events().await?;
        Ok(Some(Box::new(hints)))
    }
}

#[async_trait]
impl Hints for FeedHints {
    async fn next(&mut self) -> Result<Option<FeedHint>, SyncError> {
        FeedHints::next(self).await
    }
}
