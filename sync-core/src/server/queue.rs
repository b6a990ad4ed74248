//! Who was in the way of another one waits in line, so that nobody has to try for ever.
//!
//! Only where transactions are serializable does anybody come here: there, all who wait for an account are
//! ended when the one before commits. The line is this process' own, and nothing depends on it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{Mutex as Place, OwnedMutexGuard};

use super::ServerError;
use crate::retry::retry;

/// A line for each account that anybody waits for.
#[derive(Debug, Default)]
pub(super) struct Queues(Mutex<HashMap<String, Weak<Place<()>>>>);

impl Queues {
    /// Runs `work` until it is no conflict any more, from the second time on in line.
    pub(super) async fn retry<T, F: Future<Output = Result<T, ServerError>>>(
        &self,
        user_id: &str,
        mut work: impl FnMut() -> F,
    ) -> Result<T, ServerError> {
        match work().await {
            Err(error) if crate::retry::Conflict::is_conflict(&error) => {
                let _place = self.wait(user_id).await;
                retry(work).await
            }
            result => result,
        }
    }

    async fn wait(&self, user_id: &str) -> OwnedMutexGuard<()> {
        self.line(user_id).lock_owned().await
    }

    fn line(&self, user_id: &str) -> Arc<Place<()>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, line| line.strong_count() > 0);
        if let Some(line) = lines.get(user_id).and_then(Weak::upgrade) {
            return line;
        }
        let line = Arc::new(Place::new(()));
        lines.insert(user_id.to_owned(), Arc::downgrade(&line));
        line
    }
}
