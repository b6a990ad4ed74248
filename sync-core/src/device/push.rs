//! A pass over all pending changes: collect a batch, send it, settle its verdicts, and so on.

use super::{Device, collect::Progress, remote, state, sync::Session};
use crate::{
    error::SyncError,
    event::{SyncEvent, SyncReport},
};

impl Device {
    /// Pushes every pending change once. Batches that were settled stay so when a later one fails.
    ///
    /// # Errors
    /// If a batch was not answered; what it held stays pending.
    pub(super) async fn push_pass(
        &self,
        session: Session<'_>,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let mut overtaken = false;
        let mut progress = Progress::start();
        let mut batch = self.collect(&mut progress).await?;
        while let Some(sent) = batch {
            let (answer, next) = tokio::join!(
                remote::push(session.transport, sent.body.clone()),
                // The next batch is collected while this one travels.
                self.collect(&mut progress)
            );
            batch = match answer {
                Ok(answer) => {
                    let events = self.settle(session, &sent, &answer, report).await?;
                    events.into_iter().for_each(session.observer);
                    let n_rows = sent.n_rows() as u64;
                    (session.observer)(SyncEvent::Pushed { n_rows });
                    next?
                }
                // A copy of this database has pushed more often than this one. Its count is the server's.
                Err(SyncError::Overtaken { last }) if !overtaken => {
                    overtaken = true;
                    state::save_push_no(&self.db, last).await?;
                    progress = Progress::start();
                    self.collect(&mut progress).await?
                }
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }
}
