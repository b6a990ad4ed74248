//! The sync endpoints as one function, for whatever web server carries them.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::{Caller, PullQuery, ServerError, SyncServer};
use crate::protocol::{
    COMPARE_PATH, ErrorBody, INFO_PATH, PULL_PATH, PUSH_PATH, ROW_PATH, ROWS_PATH, RowQuery,
};

impl SyncServer {
    /// Answers a request below `/api/sync/`. Who is asking has been checked before, and that the body is no
    /// larger than [`Limits::body_bytes`](crate::protocol::Limits::body_bytes).
    ///
    /// Runs in a task of its own: a client that hangs up, with which a web server drops its future, cuts no
    /// transaction in two.
    pub async fn answer(&self, caller: Caller, request: Request<Bytes>) -> Response<Bytes> {
        let engine = self.clone();
        let work = tokio::spawn(async move { engine.dispatch(&caller, &request).await });
        match work.await {
            Ok(Ok(Some(body))) => response(200, body),
            Ok(Ok(None)) => {
                let body = ErrorBody::new("not_found", "There is nothing at this address.");
                response(404, json(&body))
            }
            Ok(Err(error)) => refusal(&error),
            Err(panic) => {
                tracing::error!(%panic, "a request was not answered");
                response(500, Bytes::new())
            }
        }
    }

    /// The body of the answer to a request below `/api/sync/`; none if there is no such endpoint. The future
    /// must be run to its end.
    ///
    /// # Errors
    /// If the request is refused or the database fails.
    pub async fn dispatch(
        &self,
        caller: &Caller,
        request: &Request<Bytes>,
    ) -> Result<Option<Bytes>, ServerError> {
        let query = || parameters(request.uri().query().unwrap_or_default());
        let body = request.body();
        Ok(Some(match (request.method(), request.uri().path()) {
            (&Method::POST, PUSH_PATH) => json(&self.push(caller, body).await?),
            (&Method::GET, PULL_PATH) => json(&self.pull(caller, &pull_query(query())?).await?),
            (&Method::POST, ROWS_PATH) => json(&self.rows(caller, body).await?),
            (&Method::POST, COMPARE_PATH) => json(&self.compare(caller, body).await?),
            (&Method::GET, ROW_PATH) => json(&self.row(caller, &row_query(query())).await?),
            (&Method::GET, INFO_PATH) => json(&self.info().await?),
            _ => return Ok(None),
        }))
    }
}

/// What is answered has text for keys and no values that JSON lacks, so it can always be written.
fn json(answer: &impl Serialize) -> Bytes {
    serde_json::to_vec(answer).unwrap_or_default().into()
}

fn refusal(error: &ServerError) -> Response<Bytes> {
    if let ServerError::Database(cause) = error {
        tracing::error!(%cause, "the database failed");
    }
    response(error.code().status(), json(&error.body()))
}

fn response(status: u16, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn pull_query(mut given: HashMap<String, String>) -> Result<PullQuery, ServerError> {
    let mut number = |key: &str| {
        let text = given.remove(key);
        let number = text.map(|text| text.parse::<u32>()).transpose();
        number.map_err(|_| ServerError::bad_request(format!("{key} must be a whole number")))
    };
    Ok(PullQuery {
        limit: number("limit")?,
        protocol: number("protocol")?,
        cursor: given.remove("cursor"),
        schema: given.remove("schema"),
        tables: given.remove("tables"),
    })
}

fn row_query(mut given: HashMap<String, String>) -> RowQuery {
    let mut text = |key: &str| given.remove(key).unwrap_or_default();
    RowQuery {
        table: text("table"),
        remote_id: text("remote_id"),
    }
}

/// What a query says; of a key that is there twice the last.
fn parameters(query: &str) -> HashMap<String, String> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read() {
        for (query, key, wanted) in [
            ("", "cursor", None),
            ("cursor=12.a%2Cb&limit=3", "cursor", Some("12.a,b")),
            ("cursor=a+b", "cursor", Some("a b")),
            ("cursor", "cursor", Some("")),
            ("cursor=a=b", "cursor", Some("a=b")),
            ("cursor=%ff%zz", "cursor", Some("\u{fffd}%zz")),
        ] {
            let read = parameters(query);
            assert_eq!(read.get(key).map(String::as_str), wanted, "{query}");
        }
    }

    #[test]
    fn a_number_that_is_none_is_told() {
        let refused = pull_query(parameters("limit=many")).expect_err("no number");
        assert_eq!(refused.code().status(), 400);
        assert_eq!(refused.to_string(), "limit must be a whole number");
        let read = pull_query(parameters("limit=7&tables=a%2Cb")).expect("sound");
        assert_eq!((read.limit, read.tables.as_deref()), (Some(7), Some("a,b")));
    }
}
