//! How a device reaches a server: bytes there and bytes back, so that tests can lose, double, delay and
//! cut them.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

/// Carries requests to one server, as one device.
///
/// The request's URI is a path and query; the transport knows the server's address and the device's token.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    /// If no whole answer came. The server may have carried out the request nevertheless.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;
}

/// No whole answer came.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// Whether the server could not be reached at all, as when the device is offline.
    pub offline: bool,
    /// What happened, for people.
    pub message: String,
    /// The cause, if it is known.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl TransportError {
    /// An answer that did not come, or not whole.
    pub fn lost(message: impl Into<String>) -> Self {
        Self {
            offline: false,
            message: message.into(),
            source: None,
        }
    }

    /// A server that cannot be reached.
    pub fn offline(message: impl Into<String>) -> Self {
        Self {
            offline: true,
            message: message.into(),
            source: None,
        }
    }
}

/// The time a `Retry-After` header asks to wait. Proxies send it as a date: that is measured against the
/// answer's own `Date`, for the device's clock may be wrong; without one it counts from 1970, which the
/// caller's cap turns into its longest wait.
pub fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let header = |name| response.headers().get(name)?.to_str().ok().map(str::trim);
    let value = header(http::header::RETRY_AFTER)?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = header(http::header::DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    let until = httpdate::parse_http_date(value).ok()?;
    let wait = until.duration_since(date.unwrap_or(std::time::UNIX_EPOCH));
    Some(wait.unwrap_or_default())
}
