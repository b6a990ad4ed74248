//! `GET /`: the page.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
};

use super::{
    PageState,
    sessions::{Message, Session, Typed},
    view::{self, Shown},
};
use crate::Devices;

/// How long the page waits for the list of devices. It comes later otherwise.
const PATIENCE: Duration = Duration::from_secs(2);

/// The page as it is now. Whoever has no session gets one; nothing else has an effect.
pub(super) async fn show(State(state): State<PageState>, headers: HeaderMap) -> Response {
    let (session, cookie) = match state.sessions.of(&headers) {
        Some(session) => (session, None),
        None => state.sessions.begin(),
    };
    let devices = state.devices(PATIENCE).await;
    let told = state.sessions.take(&session);
    let html = Html(state.page(&session, &devices, told).await);
    match cookie {
        Some(cookie) => ([(header::SET_COOKIE, cookie)], html).into_response(),
        None => html.into_response(),
    }
}

impl PageState {
    async fn page(
        &self,
        session: &Session,
        devices: &Devices,
        (message, typed): (Option<Message>, Option<Typed>),
    ) -> String {
        let status = self.sync.status().borrow().clone();
        let labels = self.labels(&status.overview.status.rejected).await;
        let preview = self.asking.preview(session).await;
        let shown = Shown {
            status: &status,
            preview: preview.as_ref(),
            devices,
            labels: &labels,
            session,
            now_ms: self.sync.adapter().clock().now_ms(),
            message,
            typed,
        };
        view::page(&shown).into_string()
    }

    /// The account's devices, as the server last told; asked for again after each sync.
    pub(super) async fn devices(&self, patience: Duration) -> Devices {
        let status = self.sync.status().borrow().clone();
        if !status.overview.status.connected {
            return Devices::default();
        }
        let mut known = self.devices.lock().await;
        let at = (status.n_syncs, status.overview.status.user_id.clone());
        if known.as_ref().is_none_or(|(then, _)| *then != at) {
            let asked = tokio::time::timeout(patience, self.sync.adapter().devices()).await;
            // Without an answer the old list stands, if it is this account's.
            let old = known.take().filter(|((_, user), _)| *user == at.1);
            *known = match asked {
                Ok(Ok(devices)) => Some((at, devices)),
                _ => old,
            };
        }
        known
            .as_ref()
            .map(|(_, devices)| devices.clone())
            .unwrap_or_default()
    }

    /// Has the list asked for again.
    pub(super) async fn forget_devices(&self) {
        *self.devices.lock().await = None;
    }
}
