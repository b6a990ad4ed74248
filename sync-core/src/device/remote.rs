//! Typed requests over a transport, and what their answers mean.

use bytes::Bytes;
use http::{Method, Request, Response, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::DbErr;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::SyncError,
    protocol::{
        COMPARE_PATH, CompareAnswer, CompareRequest, ErrorBody, INFO_PATH, Info, PULL_PATH,
        PUSH_PATH, PullPage, PushAnswer, ROW_PATH, ROWS_PATH, RowAnswer, RowsAnswer, RowsRequest,
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

/// Asks for the page behind a cursor.
pub(super) async fn pull(
    transport: &dyn Transport,
    cursor: Option<&str>,
    limit: u32,
) -> Result<PullPage, SyncError> {
    let uri = match cursor {
        Some(cursor) => {
            let cursor = utf8_percent_encode(cursor, ESCAPED);
            format!("{PULL_PATH}?cursor={cursor}&limit={limit}")
        }
        None => format!("{PULL_PATH}?limit={limit}"),
    };
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
