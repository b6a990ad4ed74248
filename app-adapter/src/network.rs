//! How servers are reached: over HTTP, or in a test over whatever it brings.

use sync_core::{Transport, TransportError, http_transport::HttpTransport};

/// Makes transports to servers.
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
}

/// The internet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Http;

impl Network for Http {
    fn transport(
        &self,
        url: &str,
        token: Option<String>,
    ) -> Result<Box<dyn Transport>, TransportError> {
        Ok(Box::new(HttpTransport::new(url, token)?))
    }
}
