//! Typed requests over a transport, and what their answers mean.

use bytes::Bytes;
use http::{Method, Request, Response, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use crate::{
    error::SyncError,
    protocol::{
        ErrorBody, INFO_PATH, Info, PROTOCOL_VERSION, PULL_PATH, PUSH_PATH, PullPage, PushAnswer,
    },
    transport::{Transport, TransportError, retry_after},
};

/// A cursor is opaque and may hold anything.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Sends a batch and reads the verdicts.
pub(super) async fn push(
    transport: &dyn Transport,
    body: Vec<u8>,
) -> Result<PushAnswer, SyncError> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(PUSH_PATH)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(body));
    read(transport.send(request.map_err(invalid)?).await?)
}

/// Which page is asked for.
pub(super) struct Asked<'a> {
    /// Behind which cursor; none for the beginning.
    pub(super) cursor: Option<&'a str>,
    /// Most rows of it.
    pub(super) limit: u32,
    /// What the server is known to sync, so that it tells if it is something else.
    pub(super) schema: Option<&'a str>,
    /// Of which tables alone, joined by commas.
    pub(super) tables: Option<String>,
}

/// Asks for a page.
pub(super) async fn pull(
    transport: &dyn Transport,
    asked: &Asked<'_>,
) -> Result<PullPage, SyncError> {
    let mut uri = format!(
        "{PULL_PATH}?protocol={PROTOCOL_VERSION}&limit={}",
        asked.limit
    );
    for (name, value) in [
        ("cursor", asked.cursor),
        ("schema", asked.schema),
        ("tables", asked.tables.as_deref()),
    ] {
        if let Some(value) = value {
            let value = utf8_percent_encode(value, ESCAPED);
            uri.push_str(&format!("&{name}={value}"));
        }
    }
    let request = Request::builder()
        .method(Method::GET)
        .uri(uri)
        .body(Bytes::new());
    read(transport.send(request.map_err(invalid)?).await?)
}

/// Asks what the server takes at once.
pub(super) async fn info(transport: &dyn Transport) -> Result<Info, SyncError> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(INFO_PATH)
        .body(Bytes::new());
    read(transport.send(request.map_err(invalid)?).await?)
}

fn invalid(error: http::Error) -> SyncError {
    TransportError {
        offline: false,
        message: "the request cannot be written".to_owned(),
        source: Some(error.into()),
    }
    .into()
}

fn read<T: DeserializeOwned>(response: Response<Bytes>) -> Result<T, SyncError> {
    let status = response.status();
    if status == http::StatusCode::UNAUTHORIZED {
        return Err(SyncError::Unauthorized);
    }
    if !status.is_success() {
        return Err(refused(&response));
    }
    serde_json::from_slice(response.body())
        .map_err(|error| SyncError::NotASyncServer(error.to_string()))
}

fn refused(response: &Response<Bytes>) -> SyncError {
    let status = response.status().as_u16();
    let body = serde_json::from_slice::<ErrorBody>(response.body());
    let body = body.unwrap_or_else(|_| {
        ErrorBody::new(
            format!("http_{status}"),
            format!("the server answered with status {status}"),
        )
    });
    let ErrorBody {
        code,
        message,
        last_push_no,
    } = body;
    if let Some(last) = last_push_no {
        return SyncError::Overtaken { last };
    }
    SyncError::Refused {
        status,
        code,
        message,
        retry_after: retry_after(response),
    }
}
