//! A login that waits for an answer: what becomes of the data that is here.

use tokio::sync::Mutex;

use super::sessions::Session;
use crate::{CloudSync, Prepared, Preview};

/// The one login that waits; a new one takes its place.
pub(super) struct Asking {
    sync: CloudSync,
    waiting: Mutex<Option<Waiting>>,
}

struct Waiting {
    session: Session,
    prepared: Prepared,
    preview: Preview,
}

impl Asking {
    pub(super) fn new(sync: CloudSync) -> Self {
        Self {
            sync,
            waiting: Mutex::default(),
        }
    }

    /// Keeps a login until the session it came from has an answer.
    pub(super) async fn ask(&self, of: &Session, prepared: Prepared, preview: Preview) {
        let waiting = Waiting {
            session: of.clone(),
            prepared,
            preview,
        };
        let before = self.waiting.lock().await.replace(waiting);
        self.cancel(before).await;
    }

    /// What the session is asked.
    pub(super) async fn preview(&self, of: &Session) -> Option<Preview> {
        let waiting = self.waiting.lock().await;
        let its = waiting.as_ref().filter(|waiting| waiting.session.is(of));
        its.map(|waiting| waiting.preview.clone())
    }

    /// The login that waits for the session's answer.
    pub(super) async fn take(&self, of: &Session) -> Option<Prepared> {
        let mut waiting = self.waiting.lock().await;
        let its = waiting.take_if(|waiting| waiting.session.is(of));
        its.map(|waiting| waiting.prepared)
    }

    /// Ends a login that nobody will answer for.
    pub(super) async fn end(&self) {
        let before = self.waiting.lock().await.take();
        self.cancel(before).await;
    }

    async fn cancel(&self, waiting: Option<Waiting>) {
        if let Some(Waiting { prepared, .. }) = waiting {
            self.sync.cancel(prepared).await;
        }
    }
}
