//! Bodies and queries, read so that every mistake is answered as JSON with a code.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Query, Request, rejection::BytesRejection};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;
use tokio::time;

use crate::Error;

/// How long a body may take to arrive. Long enough for the largest over a poor mobile line.
const BODY_TIMEOUT: Duration = Duration::from_secs(120);

/// A body declared as JSON, not yet parsed.
pub(crate) struct JsonBytes(pub(crate) Bytes);

/// A parsed JSON body.
pub(crate) struct ApiJson<T>(pub(crate) T);

/// A parsed JSON body, or the default where there is no body at all.
pub(crate) struct OptionalJson<T>(pub(crate) T);

/// The parsed query of the address.
pub(crate) struct ApiQuery<T>(pub(crate) T);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        check_media_type(request.headers())?;
        read(request, state).await.map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ApiJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let JsonBytes(body) = JsonBytes::from_request(request, state).await?;
        parse(&body).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
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

/// A form in another site's page cannot send this type; nor do we read compressed bodies.
fn check_media_type(headers: &HeaderMap) -> Result<(), Error> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let media_type = text(header::CONTENT_TYPE).and_then(|value| value.split(';').next());
    let json =
        media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"));
    let plain = headers.get(header::CONTENT_ENCODING).is_none()
        || text(header::CONTENT_ENCODING)
            .is_some_and(|value| value.eq_ignore_ascii_case("identity"));
    if json && plain {
        Ok(())
    } else {
        Err(Error::UnsupportedMediaType)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Error> {
    match time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) => Err(rejected(&rejection)),
        Err(_) => Err(Error::BodyTimeout),
    }
}

fn rejected(rejection: &BytesRejection) -> Error {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Error::BodyTooLarge
    } else {
        Error::BadRequest("The body ended too early.".to_owned())
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
