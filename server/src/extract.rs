//! Bodies and queries, read so that every mistake is answered as JSON with a code.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Query, Request},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header, request::Parts};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use serde::de::DeserializeOwned;
use tokio::time;

use crate::{AppState, Error, decode::Encoding};

/// How long a body may take to arrive.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// From its beginning to its end: long enough for the largest over a poor mobile line.
    pub whole: Duration,
    /// From one piece of it to the next.
    pub silence: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            whole: Duration::from_secs(120),
            silence: Duration::from_secs(20),
        }
    }
}

/// Most bytes of a body that is not a push.
const SMALL_BODY_BYTES: usize = 64 << 10;

/// Of an address: most bytes of its body, where that is not the usual.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MostBytes(pub(crate) usize);

/// A body declared as JSON, not yet parsed.
pub(crate) struct JsonBytes(pub(crate) Bytes);

/// A parsed JSON body.
pub(crate) struct ApiJson<T>(pub(crate) T);

/// A parsed JSON body, or the default where there is no body at all.
pub(crate) struct OptionalJson<T>(pub(crate) T);

/// The parsed query of the address.
pub(crate) struct ApiQuery<T>(pub(crate) T);

impl FromRequest<AppState> for JsonBytes {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Error> {
        check_media_type(request.headers())?;
        read(request, state).await.map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for ApiJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Error> {
        let JsonBytes(body) = JsonBytes::from_request(request, state).await?;
        parse(&body).map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<AppState> for OptionalJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Error> {
        let declared = check_media_type(request.headers());
        let body = read(request, state).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        declared?;
        parse(&body).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let query = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(query)| Self(query))
            .map_err(|e| Error::BadRequest(e.body_text()))
    }
}

/// A form in another site's page cannot send this type.
fn check_media_type(headers: &HeaderMap) -> Result<(), Error> {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next());
    match media_type {
        Some(json) if json.trim().eq_ignore_ascii_case("application/json") => Ok(()),
        _ => Err(Error::UnsupportedMediaType),
    }
}

/// The body, decompressed. Neither form of it may be larger than the address allows.
async fn read(request: Request, state: &AppState) -> Result<Bytes, Error> {
    let encoding = Encoding::of(request.headers())?;
    let most = request.extensions().get::<MostBytes>();
    let most = most.map_or(SMALL_BODY_BYTES, |most| most.0);
    let limits = state.config.body;
    let body = time::timeout(
        limits.whole,
        collect(request.into_body(), most, limits.silence),
    );
    let body = body.await.map_err(|_| Error::BodyTimeout)??;
    encoding.decode(body, most)
}

async fn collect(mut body: Body, most: usize, silence: Duration) -> Result<Bytes, Error> {
    if body.size_hint().lower() > most as u64 {
        return Err(Error::BodyTooLarge);
    }
    let mut whole = BytesMut::new();
    loop {
        let frame = time::timeout(silence, body.frame());
        let Some(frame) = frame.await.map_err(|_| Error::BodyTimeout)? else {
            return Ok(whole.freeze());
        };
        let cut = |_| Error::BadRequest("The body ended too early.".to_owned());
        let Ok(data) = frame.map_err(cut)?.into_data() else {
            continue;
        };
        if whole.len() + data.len() > most {
            return Err(Error::BodyTooLarge);
        }
        whole.extend_from_slice(&data);
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|e| {
        if e.is_data() {
            Error::BadBody(e.to_string())
        } else {
            Error::BadRequest(format!("The body is not JSON: {e}"))
        }
    })
}
