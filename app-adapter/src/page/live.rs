//! `GET /live`: the parts of the page, again whenever one of them changes.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::{sync::watch, time};

use super::{
    PageState,
    door::From,
    guard::refused,
    sessions::Session,
    view::{Region, Shown},
};
use crate::SyncStatus;

/// Words like `3 minutes ago` grow old.
const AGAIN: Duration = Duration::from_secs(20);
/// Progress is told no more often than this.
const PACE: Duration = Duration::from_millis(100);
/// How long a list of devices is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Part {
    id: &'static str,
    version: String,
    html: String,
}

/// One page that is open.
struct Listener {
    state: PageState,
    session: Session,
    status: watch::Receiver<SyncStatus>,
    stopped: watch::Receiver<bool>,
    sent: Vec<(&'static str, String)>,
    is_first: bool,
}

/// Only for our own page: no other site may watch.
pub(super) async fn live(
    State(state): State<PageState>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
) -> Response {
    if !matches!(from, From::Own | From::Unsaid) {
        return refused();
    }
    let Some(session) = state.sessions.of(&headers) else {
        return match from {
            // A page of an earlier start.
            From::Own => Sse::new(stream::iter([Ok::<_, Infallible>(reload())])).into_response(),
            _ => refused(),
        };
    };
    let listener = Listener {
        status: state.sync.status(),
        stopped: state.stopped.clone(),
        state,
        session,
        sent: Vec::new(),
        is_first: true,
    };
    let parts = stream::unfold(listener, Listener::next);
    Sse::new(skip_empty(parts))
        .keep_alive(KeepAlive::new())
        .into_response()
}

fn reload() -> Event {
    Event::default().event("reload").data("1")
}

fn skip_empty(
    parts: impl Stream<Item = Option<Event>>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    use futures_util::StreamExt;
    parts.filter_map(async |part| part.map(Ok))
}

impl Listener {
    /// What has changed; nothing at all once the page is closed.
    async fn next(mut self) -> Option<(Option<Event>, Self)> {
        if !self.is_first {
            tokio::select! {
                changed = self.status.changed() => changed.ok()?,
                _ = self.stopped.wait_for(|stopped| *stopped) => return None,
                () = time::sleep(AGAIN) => {}
            }
            time::sleep(PACE).await;
        }
        self.is_first = false;
        let status = self.status.borrow_and_update().clone();
        let devices = self.state.devices(PATIENCE).await;
        let labels = self.state.labels(&status.overview.status.rejected).await;
        let preview = self.state.asking.preview(&self.session).await;
        let shown = Shown {
            status: &status,
            preview: preview.as_ref(),
            devices: &devices,
            labels: &labels,
            session: &self.session,
            now_ms: self.state.sync.adapter().clock().now_ms(),
            message: None,
            typed: self.state.sessions.typed(&self.session),
        };
        let mut parts = Vec::new();
        for Region { id, html, version } in shown.regions() {
            let sent = self.sent.iter_mut().find(|(sent, _)| *sent == id);
            match sent {
                Some((_, sent)) if *sent == version => continue,
                Some((_, sent)) => sent.clone_from(&version),
                None => self.sent.push((id, version.clone())),
            }
            parts.push(Part { id, version, html });
        }
        let event = (!parts.is_empty())
            .then(|| Event::default().event("parts").json_data(&parts).ok())
            .flatten();
        Some((event, self))
    }
}
