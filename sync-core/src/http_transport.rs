//! The transport over HTTP and TLS.

mod events;

use std::{sync::Once, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response, header};
use reqwest::{Client, Method, RequestBuilder, Url};

pub use events::FeedHints;

use crate::transport::{Transport, TransportError};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long nothing may come of an answer.
const SILENCE: Duration = Duration::from_secs(60);
/// Most bytes of an answer: a page has at most some 4 MiB of rows, unless one row is larger.
const MOST_BYTES: usize = 64 << 20;

/// Reaches one server over HTTP/1.1, with the device's token.
#[derive(Clone)]
pub struct HttpTransport {
    client: Client,
    base: Url,
    token: Option<String>,
}

impl HttpTransport {
    /// A transport to the server at `base`, such as `https://zentrio.eu`. Follows no redirects, because
    /// they would carry the token to somebody else.
    ///
    /// # Errors
    /// If `base` is not an address that can be asked.
    pub fn new(base: &str, token: Option<String>) -> Result<Self, TransportError> {
        install_tls();
        let base =
            Url::parse(base).map_err(|e| unusable(format!("`{base}` is not an address: {e}")))?;
        if !matches!(base.scheme(), "http" | "https")
            || base.host_str().is_none()
            || !base.username().is_empty()
        {
            return Err(unusable(format!(
                "`{base}` is not the address of a web server"
            )));
        }
        let client = Client::builder()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build();
        let client = client.map_err(|e| TransportError {
            source: Some(e.into()),
            ..unusable("no HTTP client")
        })?;
        Ok(Self {
            client,
            base,
            token,
        })
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        self.base.as_str()
    }

    /// A request to the server, with the device's token.
    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, TransportError> {
        let url = self
            .base
            .join(path)
            .map_err(|e| unusable(format!("`{path}` is not a path: {e}")))?;
        let request = self.client.request(method, url);
        Ok(match &self.token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let outgoing = self
            .request(parts.method, path)?
            .headers(parts.headers)
            .body(body);
        let mut answer = outgoing.send().await.map_err(failed)?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = std::mem::take(answer.headers_mut());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(TransportError::lost(
                    "the answer is larger than any sync server's",
                ));
            }
            body.extend_from_slice(&chunk);
        }
        response.body(body.freeze()).map_err(|e| TransportError {
            source: Some(e.into()),
            ..unusable("no answer")
        })
    }
}

/// reqwest takes the process's provider, and panics without one.
fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Somebody may have installed theirs: then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn unusable(message: impl Into<String>) -> TransportError {
    TransportError::lost(message)
}

fn failed(error: reqwest::Error) -> TransportError {
    let offline = error.is_connect();
    let message = if offline {
        "no connection to the server"
    } else {
        "the answer did not arrive whole"
    };
    TransportError {
        offline,
        message: message.to_owned(),
        source: Some(error.without_url().into()),
    }
}
