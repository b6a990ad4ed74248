//! The transport over HTTP and TLS.

mod addresses;
mod events;
mod patience;
#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
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
use tokio::time::{self, Instant};

use self::{
    addresses::{Addresses, Forbidden},
    patience::Patience,
};

pub use events::FeedHints;

use crate::{
    compress,
    transport::{Transport, TransportError},
};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
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
    patience: Patience,
}

impl HttpTransport {
    /// A transport to the server at `base`, such as `https://zentrio.eu`, wherever that is. Follows no
    /// redirects, because they would carry the token to somebody else.
    ///
    /// # Errors
    /// If `base` is not an address that can be asked.
    pub fn new(base: &str, token: Option<String>) -> Result<Self, TransportError> {
        Self::within(base, token, |_| true)
    }

    /// The same, which goes only where `may_reach` allows. A name is asked for once: all requests of the
    /// transport and its clones go to the addresses that it had then.
    ///
    /// # Errors
    /// If `base` is not an address that can be asked, or one that may not be reached.
    pub fn within(
        base: &str,
        token: Option<String>,
        may_reach: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Result<Self, TransportError> {
        install_tls();
        let base = read_base(base)?;
        // An address is no name: nobody is asked for it.
        let ip = base.host_str().and_then(|host| {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse::<IpAddr>().ok()
        });
        if ip.is_some_and(|ip| !may_reach(ip)) {
            return Err(unusable(Forbidden.to_string()));
        }
        Self::built(
            base,
            token,
            Addresses::new(Arc::new(may_reach)),
            Patience::default(),
        )
    }

    fn built(
        base: Url,
        token: Option<String>,
        addresses: Addresses,
        patience: Patience,
    ) -> Result<Self, TransportError> {
        let mut client = Client::builder();
        if base.scheme() == "http" {
            // What is not encrypted is for nobody in between.
            client = client.no_proxy();
        }
        let client = client
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(addresses)
            .connect_timeout(CONNECT)
            .read_timeout(patience.silence)
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
            patience,
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
        let begun = Instant::now();
        loop {
            let until = begun + self.patience.until(body.len());
            let chunk = time::timeout_at(until, answer.chunk()).await;
            let chunk = chunk.map_err(|_| TransportError::lost("the answer comes too slowly"))?;
            let Some(chunk) = chunk.map_err(failed)? else {
                break;
            };
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

fn read_base(text: &str) -> Result<Url, TransportError> {
    let base =
        Url::parse(text).map_err(|e| unusable(format!("`{text}` is not an address: {e}")))?;
    let is_server = matches!(base.scheme(), "http" | "https")
        && base.host_str().is_some()
        && base.username().is_empty();
    if !is_server {
        let message = format!("`{text}` is not the address of a web server");
        return Err(unusable(message));
    }
    Ok(base)
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
    // A server that cannot prove who it is has been reached, and says so each time; so has a name server.
    let unproven = is_because(&error, &is_unproven);
    let forbidden = is_because(&error, &|cause| cause.is::<Forbidden>());
    let offline = error.is_connect() && !unproven && !forbidden;
    let message = if unproven {
        "its certificate is not accepted"
    } else if forbidden {
        "its name leads to an address that no sync server may have"
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

type Cause = dyn std::error::Error + 'static;

fn is_unproven(cause: &Cause) -> bool {
    use rustls::Error::{InvalidCertificate, NoCertificatesPresented};
    let tls = cause.downcast_ref::<rustls::Error>();
    tls.is_some_and(|tls| matches!(tls, InvalidCertificate(_) | NoCertificatesPresented))
}

/// An I/O error shows the causes of what is in it, and not that itself, so both ways are gone.
fn is_because(error: &Cause, is_meant: &dyn Fn(&Cause) -> bool) -> bool {
    let inner = error.downcast_ref::<std::io::Error>();
    let inner = inner.and_then(std::io::Error::get_ref);
    is_meant(error)
        || inner.is_some_and(|inner| is_because(inner, is_meant))
        || error
            .source()
            .is_some_and(|source| is_because(source, is_meant))
}
