//! A pass over all pending changes: collect a batch, send it, settle its verdicts, and so on.

use super::{
    BatchLimits, Device,
    collect::{Batch, Progress},
    remote, resend, settle, state,
    sync::Session,
};
use crate::{
    error::SyncError,
    event::{SyncEvent, SyncReport},
    planted::{Bug, planted},
    protocol::PushAnswer,
    tx,
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
        self.push_again(session, report).await?;
        let mut overtaken = false;
        let mut limits = self.limits;
        let mut progress = Progress::start();
        let mut batch = self.collect(session, &mut progress, limits).await?;
        while let Some(sent) = batch {
            let (answer, next) = tokio::join!(
                remote::push(session.transport, sent.body.clone()),
                // The next batch is collected while this one travels.
                self.collect(session, &mut progress, limits)
            );
            batch = match answer {
                Ok(answer) => {
                    self.settle_batch(session, &sent, &answer, report).await?;
                    next?
                }
                // A copy of this database has pushed more often than this one. Its count is the server's.
                Err(SyncError::Overtaken { last }) if !overtaken => {
                    overtaken = true;
                    self.forget_sent(session, Some(last)).await?;
                    progress = Progress::start();
                    self.collect(session, &mut progress, limits).await?
                }
                Err(error) if error.is_too_large() && sent.n_rows() > 1 => {
                    limits = self.smaller(session, limits, &sent).await;
                    self.forget_sent(session, None).await?;
                    progress = Progress::start();
                    self.collect(session, &mut progress, limits).await?
                }
                Err(error) if error.is_too_large() => {
                    self.set_oversized_aside(session, &sent, &error).await?;
                    next?
                }
                Err(error) if planted(Bug::ErrorIsVerdict) => {
                    self.set_oversized_aside(session, &sent, &error).await?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }

    /// Has all that is pending collected anew, and counts on from the server's last number.
    async fn forget_sent(&self, session: Session<'_>, last: Option<i64>) -> Result<(), SyncError> {
        let tx = tx::begin_write(&self.db).await?;
        session.check(&state::load(&tx).await?)?;
        resend::forget_all(&tx).await?;
        if let Some(last) = last {
            state::save_push_no(&tx, last).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Settles an answered batch, and tells.
    pub(super) async fn settle_batch(
        &self,
        session: Session<'_>,
        sent: &Batch,
        answer: &PushAnswer,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let events = self.settle(session, sent, answer, report).await?;
        events.into_iter().for_each(session.observer);
        let n_rows = sent.n_rows() as u64;
        (session.observer)(SyncEvent::Pushed { n_rows });
        Ok(())
    }

    /// What the server says it takes at once, and at any rate less than it has just refused.
    async fn smaller(
        &self,
        session: Session<'_>,
        limits: BatchLimits,
        refused: &Batch,
    ) -> BatchLimits {
        let info = remote::info(session.transport).await;
        let asked = info.map_or(limits, |info| limits.within(&info.limits));
        let fits = refused.n_rows() <= asked.push_rows && refused.body.len() <= asked.push_bytes;
        let (rows, bytes) = match fits {
            true => (refused.n_rows() / 2, refused.body.len() / 2),
            false => (asked.push_rows, asked.push_bytes),
        };
        BatchLimits {
            push_rows: rows.max(1),
            push_bytes: bytes.max(1),
            ..asked
        }
    }

    /// A row that alone is more than the server takes keeps nobody else waiting.
    async fn set_oversized_aside(
        &self,
        session: Session<'_>,
        sent: &Batch,
        error: &SyncError,
    ) -> Result<(), SyncError> {
        let tx = tx::begin_write(&self.db).await?;
        session.check(&state::load(&tx).await?)?;
        for table in &sent.tables {
            for row in &table.rows {
                let (table, message) = (&table.table, error.to_string());
                let rejection = settle::Rejection {
                    remote_id: &row.remote_id,
                    code: "row_too_large",
                    field: None,
                    message: Some(&message),
                };
                self.refuse(&tx, table, row.row_id, &rejection).await?;
            }
        }
        resend::forget(&tx, sent.push_no).await?;
        Ok(tx.commit().await?)
    }
}
