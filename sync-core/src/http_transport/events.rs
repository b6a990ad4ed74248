//! Listening to a server over HTTP.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode, header};
use reqwest::Response as Answer;
use tokio::time;

use super::{HttpTransport, failed, unusable};
use crate::{
    device::remote::refused,
    error::SyncError,
    protocol::{EVENTS_PATH, FEED_EVENT, FeedHint},
    sse,
    transport::TransportError,
};

/// Most bytes of an answer that refuses.
const MOST_REFUSAL_BYTES: usize = 64 << 10;
/// How long an answer may take to begin.
const ANSWER: Duration = Duration::from_secs(30);

/// An open stream of hints. Dropped, it hangs up.
#[derive(Debug)]
pub struct FeedHints {
    answer: Answer,
    events: sse::Events,
}

impl HttpTransport {
    /// Listens for hints that the account's feed has moved. The first one comes at once.
    ///
    /// # Errors
    /// If the server cannot be reached, does not accept the token, has no room for one more listener, or is
    /// so old that it has no events: a refusal with status 404.
    pub async fn events(&self) -> Result<FeedHints, SyncError> {
        let asked = self
            .request(http::Method::GET, EVENTS_PATH)?
            .header(header::ACCEPT, "text/event-stream")
            .send();
        let answer = time::timeout(ANSWER, asked)
            .await
            .map_err(|_| TransportError::lost("the server does not answer"))?
            .map_err(failed)?;
        if answer.status() != StatusCode::OK {
            return Err(refused(&read_whole(answer).await?));
        }
        if !is_event_stream(answer.headers()) {
            return Err(SyncError::NotASyncServer(
                "what it sends is no stream of events".to_owned(),
            ));
        }
        Ok(FeedHints {
            answer,
            events: sse::Events::default(),
        })
    }
}

impl FeedHints {
    /// Waits for the next hint; none when the server has ended the stream, as it does when it stops and when
    /// the token ends. May be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// If the connection broke, or the server fell silent. Listen again, then pull.
    pub async fn next(&mut self) -> Result<Option<FeedHint>, SyncError> {
        loop {
            while let Some(event) = self.events.take() {
                if event.name == FEED_EVENT {
                    let hint = serde_json::from_str(&event.data);
                    return hint
                        .map(Some)
                        .map_err(|error| SyncError::NotASyncServer(error.to_string()));
                }
            }
            let Some(bytes) = self.answer.chunk().await.map_err(failed)? else {
                return Ok(None);
            };
            self.events
                .feed(&bytes)
                .map_err(|error| SyncError::NotASyncServer(error.to_string()))?;
        }
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case("text/event-stream"))
}

async fn read_whole(mut answer: Answer) -> Result<Response<Bytes>, TransportError> {
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        *headers = std::mem::take(answer.headers_mut());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        let room = MOST_REFUSAL_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == MOST_REFUSAL_BYTES {
            break;
        }
    }
    response.body(body.freeze()).map_err(|e| TransportError {
        source: Some(e.into()),
        ..unusable("no answer")
    })
}
