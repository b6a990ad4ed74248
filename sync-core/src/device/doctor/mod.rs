//! Is all as it should be? Looks at the database itself, compares its rows with the server's by checksums,
//! and mends what differs without dropping an edit.
//!
//! The server's rows come in through the same door as in a pull, and what only this device has goes out as a
//! pending change: the doctor itself decides nothing and deletes nothing.

mod compare;
mod finding;
mod here;
mod judge;
mod local;
mod mend;
mod values;

pub use finding::{Diagnosis, Finding, FindingKind, TableCompared};

use finding::Findings;

use super::{Device, Observer, sync::Session};
use crate::{error::SyncError, protocol::ErrorCode, transport::Transport};

/// How often is compared anew because another device has pushed meanwhile.
const TRIES: u32 = 5;

/// How often is mended: what one round brings in may be what another row waits for.
const ROUNDS: u32 = 2;

impl Device {
    /// Looks whether this database and the server's rows are as they should be, and mends what is not if
    /// `mend` says so. With a transport it syncs first, as any sync does.
    ///
    /// That the server was not reached is told in the diagnosis.
    ///
    /// # Errors
    /// If the local database fails, or a sync of it is running.
    pub async fn doctor(
        &self,
        transport: Option<&dyn Transport>,
        mend: bool,
        observer: Observer<'_>,
    ) -> Result<Diagnosis, SyncError> {
        let mut findings = Findings::default();
        self.look_at_database(mend, &mut findings).await?;
        let compared = match transport {
            _ if findings.is_file_damaged() => Err(SyncError::Damaged),
            None => Err(SyncError::NotConnected),
            Some(transport) => {
                let session = self.session(transport, observer);
                let work = self.compare_and_mend(session, mend, &mut findings);
                self.leased(work).await
            }
        };
        self.look_at_values(&mut findings).await?;
        let (tables, error) = match compared {
            Ok(tables) => (tables, None),
            Err(error @ (SyncError::Database(_) | SyncError::Busy)) => return Err(error),
            Err(error) => (Vec::new(), Some(error)),
        };
        let mut diagnosis = findings.diagnosis(mend, tables, error.as_ref());
        self.tell_reasons(&mut diagnosis).await?;
        Ok(diagnosis)
    }

    async fn compare_and_mend(
        &self,
        session: Session<'_>,
        mend: bool,
        findings: &mut Findings,
    ) -> Result<Vec<TableCompared>, SyncError> {
        let compared = self.compare_at_rest(session, mend, findings).await?;
        for round in 1..=ROUNDS {
            if !mend || !findings.any_in_pass() {
                break;
            }
            // The last look only tells what is left.
            self.compare_at_rest(session, round < ROUNDS, findings)
                .await?;
        }
        findings.end_last_pass();
        Ok(compared)
    }

    /// Syncs and compares; once more where another device pushes in between.
    async fn compare_at_rest(
        &self,
        session: Session<'_>,
        mend: bool,
        findings: &mut Findings,
    ) -> Result<Vec<TableCompared>, SyncError> {
        let mut tries = 1;
        loop {
            self.sync_in(session).await?;
            match self.compare_all(session, mend, findings).await {
                Err(error) if error.code() == Some(ErrorCode::FeedMoved) && tries < TRIES => {
                    tries += 1;
                }
                compared => return compared,
            }
        }
    }

    /// Of rows that could not be mended: why, as far as the engine has kept it.
    async fn tell_reasons(&self, diagnosis: &mut Diagnosis) -> Result<(), SyncError> {
        if diagnosis.findings.iter().all(|finding| finding.mended) {
            return Ok(());
        }
        let (rejected, quarantined) = (self.rejected().await?, self.quarantined().await?);
        for finding in diagnosis
            .findings
            .iter_mut()
            .filter(|finding| !finding.mended)
        {
            let aside = quarantined.iter().find(|row| {
                row.table == finding.table && Some(&row.remote_id) == finding.remote_id.as_ref()
            });
            let refused = rejected
                .iter()
                .find(|row| row.table == finding.table && Some(row.row_id) == finding.row_id);
            let reason = aside.map(|row| row.reason.clone());
            let reason = reason.or_else(|| {
                refused.map(|row| row.message.clone().unwrap_or_else(|| row.code.clone()))
            });
            if let (None, Some(reason)) = (&finding.message, reason) {
                finding.message = Some(reason);
            }
        }
        Ok(())
    }
}
