//! The transport over HTTP and TLS.

mod events;

use std::{
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use reqwest::{Client, Method, RequestBuilder, Url};

pub use events::FeedHints;

use crate::{
    compress,
    transport::{Transport, TransportError},
};

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
    /// Whether the server has said that it reads compressed bodies.
    takes_zstd: Arc<AtomicBool>,
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
            takes_zstd: Arc::default(),
        })
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        self.base.as_str()
    }

    /// The answer's beginning. A body goes out compressed once the server has said that it takes such.
    async fn asked(&self, request: &Request<Bytes>) -> Result<reqwest::Response, TransportError> {
        let squeezed = match self.takes_zstd.load(Ordering::Relaxed) {
            true => compress::squeezed(request.body()),
            false => None,
        };
        if let Some(body) = squeezed {
            let outgoing = self.outgoing(request)?.body(body);
            let outgoing = outgoing.header(header::CONTENT_ENCODING, compress::ZSTD);
            let answer = outgoing.send().await.map_err(failed)?;
            if answer.status() != StatusCode::UNSUPPORTED_MEDIA_TYPE {
                return Ok(answer);
            }
        }
        let outgoing = self.outgoing(request)?.body(request.body().clone());
        let answer = outgoing.send().await.map_err(failed)?;
        // Behind the same address may be another server by now.
        let takes_zstd = compress::is_taken(answer.headers());
        self.takes_zstd.store(takes_zstd, Ordering::Relaxed);
        Ok(answer)
    }

    fn outgoing(&self, request: &Request<Bytes>) -> Result<RequestBuilder, TransportError> {
        let path = request.uri().path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let outgoing = self.request(request.method().clone(), path)?;
        Ok(outgoing.headers(request.headers().clone()))
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
        let mut answer = self.asked(&request).await?;
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
    // A server that cannot prove who it is has been reached, and says so each time.
    let unproven = is_unproven(&error);
    let offline = error.is_connect() && !unproven;
    let message = if unproven {
        "its certificate is not accepted"
    } else if offline {
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

/// An I/O error shows the causes of what is in it, and not that itself, so both ways are gone.
fn is_unproven(error: &(dyn std::error::Error + 'static)) -> bool {
    use rustls::Error::{InvalidCertificate, NoCertificatesPresented};
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, InvalidCertificate(_) | NoCertificatesPresented);
    }
    let inner = error.downcast_ref::<std::io::Error>();
    let inner = inner.and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| is_unproven(inner)) || error.source().is_some_and(is_unproven)
}
