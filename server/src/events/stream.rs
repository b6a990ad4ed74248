//! One stream of events: the body of an answer that ends when the server stops or the token does.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, header, request::Parts};
use sync_core::protocol::{FEED_EVENT, FeedHint};
use tokio::time::{self, Instant};

use super::{Full, Listening, listeners::Told};
use crate::{AppState, Error, auth::sync_token::SyncCaller};

/// A comment, by which both ends notice that the other one is gone.
const STILL_HERE: &[u8] = b": still here\n\n";

struct Stream {
    state: AppState,
    /// The request, whose token is looked at again and again.
    parts: Parts,
    listening: Listening,
    /// What the listener was told last.
    told: Told,
    beat_at: Instant,
}

/// Why a stream goes on.
enum Woken {
    Ended,
    Told(Told),
    Beat,
}

/// An answer that tells the caller of every move of its feed.
pub(crate) fn hints(state: AppState, parts: Parts, user_id: &str) -> Result<Response, Full> {
    let listening = state.events.listen(&state.sync, user_id)?;
    let stream = Stream {
        told: Told::default(),
        beat_at: Instant::now() + state.events.shared.timing.heartbeat,
        state,
        parts,
        listening,
    };
    let body = stream::unfold(stream, |mut stream| async move {
        let bytes = stream.next().await?;
        Some((Ok::<_, Infallible>(bytes), stream))
    });
    // Some proxies hold answers back until they are whole, unless they are told not to.
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

impl Stream {
    /// What is to be sent next; none at the end. It is asked for only when what was before is on its way, so
    /// that a slow reader finds the last of what it was told, not all of it.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.wait().await {
                Woken::Ended => return None,
                Woken::Beat => {
                    self.beat_at = Instant::now() + self.state.events.shared.timing.heartbeat;
                    let may_listen = self.may_listen().await;
                    return may_listen.then(|| Bytes::from_static(STILL_HERE));
                }
                Woken::Told(told) => {
                    let before = std::mem::replace(&mut self.told, told);
                    if self.told.rechecks != before.rechecks && !self.may_listen().await {
                        return None;
                    }
                    if let Some(head) = &self.told.head
                        && before.head.as_ref() != Some(head)
                    {
                        return event(head);
                    }
                }
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        let told = &mut self.listening.told;
        tokio::select! {
            biased;
            () = self.state.events.shared.ended() => Woken::Ended,
            told = told.wait_for(|told| *told != self.told) => {
                told.map_or(Woken::Ended, |told| Woken::Told(told.clone()))
            }
            () = time::sleep_until(self.beat_at) => Woken::Beat,
        }
    }

    /// Whether the token still is good. Where that cannot be told now, it was the last time.
    async fn may_listen(&mut self) -> bool {
        match SyncCaller::from_request_parts(&mut self.parts, &self.state).await {
            Ok(_) => true,
            Err(error) => !is_refusal(&error),
        }
    }
}

fn is_refusal(error: &Error) -> bool {
    error.public().0.is_client_error()
}

fn event(head: &str) -> Option<Bytes> {
    let hint = FeedHint {
        head: head.to_owned(),
    };
    let data = serde_json::to_string(&hint).ok()?;
    Some(format!("event: {FEED_EVENT}\ndata: {data}\n\n").into())
}
