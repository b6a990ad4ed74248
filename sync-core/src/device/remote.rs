//! Typed requests over a transport, and what their answers mean.

use bytes::Bytes;
use http::{Method, Request, Response, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::DbErr;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::SyncError,
    protocol::{
        COMPARE_PATH, CompareAnswer, CompareRequest, ErrorBody, INFO_PATH, Info, PROTOCOL_VERSION,
        PULL_PATH, PUSH_PATH, PullPage, PushAnswer, ROW_PATH, ROWS_PATH, RowAnswer, RowsAnswer,
        RowsRequest,
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
    post(transport, PUSH_PATH, body).await
}

/// Asks for rows by their names.
pub(super) async fn rows(
    transport: &dyn Transport,
    request: &RowsRequest,
) -> Result<RowsAnswer, SyncError> {
    post(transport, ROWS_PATH, json(request)?).await
}

/// Asks for checksums.
pub(super) async fn compare(
    transport: &dyn Transport,
    request: &CompareRequest,
) -> Result<CompareAnswer, SyncError> {
    post(transport, COMPARE_PATH, json(request)?).await
}

/// Asks for all that the server knows of one row.
pub(super) async fn row(
    transport: &dyn Transport,
    table: &str,
    remote_id: &str,
) -> Result<RowAnswer, SyncError> {
    let table = utf8_percent_encode(table, ESCAPED);
    get(
        transport,
        format!("{ROW_PATH}?table={table}&remote_id={remote_id}"),
    )
    .await
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
    get(transport, uri).await
}

/// Asks what the server takes at once.
pub(super) async fn info(transport: &dyn Transport) -> Result<Info, SyncError> {
    get(transport, INFO_PATH.to_owned()).await
}

async fn get<T: DeserializeOwned>(transport: &dyn Transport, uri: String) -> Result<T, SyncError> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(uri)
        .body(Bytes::new());
    read(transport.send(request.map_err(invalid)?).await?)
}

async fn post<T: DeserializeOwned>(
    transport: &dyn Transport,
    path: &str,
    body: Vec<u8>,
) -> Result<T, SyncError> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(body));
    read(transport.send(request.map_err(invalid)?).await?)
}

fn json(request: &impl Serialize) -> Result<Vec<u8>, SyncError> {
    serde_json::to_vec(request).map_err(|error| DbErr::Json(error.to_string()).into())
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
    if !response.status().is_success() {
        return Err(refused(&response));
    }
    serde_json::from_slice(response.body())
        .map_err(|error| SyncError::NotASyncServer(error.to_string()))
}

/// What an answer means that is no success.
pub(crate) fn refused(response: &Response<Bytes>) -> SyncError {
    if response.status() == http::StatusCode::UNAUTHORIZED {
        return SyncError::Unauthorized;
    }
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
