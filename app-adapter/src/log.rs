//! What syncs did, in a file beside the database, `FILE.log`: for its owner, when something looks wrong.
//!
//! A line of JSON for each thing that happened. No token, password or address of anybody is in it. It is a
//! help and no more: where it cannot be written, on a full disk or in a folder that is read only, nothing else
//! is disturbed.

mod file;
mod scrub;

use serde::{Deserialize, Serialize};
use sync_core::{SyncError, SyncEvent, SyncReport, protocol::ErrorCode};
use tokio::sync::broadcast::error::RecvError;

pub use file::SyncLog;
pub(crate) use file::{Entry, entries, is_ours, older, path_beside};

use self::scrub::scrubbed;
use crate::{AdapterError, CloudSync, Event, Problem};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Happened {
    /// The background job began.
    Started,
    /// The background job ended.
    Stopped,
    /// A sync came to its end.
    Synced {
        /// Rows sent.
        n_pushed: u64,
        /// Rows the server did not take.
        n_rejected: u64,
        /// Rows received.
        n_pulled: u64,
        /// Rows received that cannot be written here.
        n_quarantined: u64,
        /// Local values that gave way.
        n_conflicts: u64,
    },
    /// The server did not take a row.
    Rejected {
        /// Its table.
        table: String,
        /// Its primary key here.
        row_id: i64,
        /// Why.
        code: String,
    },
    /// A row cannot be written here.
    SetAside {
        /// Its table.
        table: String,
        /// Its name.
        remote_id: String,
    },
    /// There was no network.
    Offline,
    /// A sync did not come to its end.
    Failed {
        /// Why, as a stable word.
        code: String,
        /// Why, in words.
        message: String,
    },
    /// Nothing is synced until somebody logs in.
    NeedsLogin,
    /// Nothing is synced until somebody says whose rows are right.
    NeedsChoice,
}

impl Happened {
    /// What is kept of an event in a sync, if it is worth that.
    pub(crate) fn in_sync(event: &SyncEvent) -> Option<Self> {
        Some(match event {
            SyncEvent::Finished(report) => Self::synced(*report),
            SyncEvent::Rejected {
                table,
                row_id,
                code,
                ..
            } => Self::Rejected {
                table: table.clone(),
                row_id: *row_id,
                code: scrubbed(code),
            },
            SyncEvent::Quarantined {
                table, remote_id, ..
            } => Self::SetAside {
                table: table.clone(),
                remote_id: scrubbed(remote_id),
            },
            _ => return None,
        })
    }

    /// What is kept of the end of a sync that failed.
    pub(crate) fn failed(error: &AdapterError) -> Self {
        match error {
            AdapterError::Sync(error) if error.is_offline() => Self::Offline,
            AdapterError::LoginUnreadable | AdapterError::Sync(SyncError::Unauthorized) => {
                Self::NeedsLogin
            }
            AdapterError::Sync(error) if error.needs_choice() => Self::NeedsChoice,
            error => Self::problem(&Problem::of(error)),
        }
    }

    fn synced(report: SyncReport) -> Self {
        let SyncReport {
            n_pushed,
            n_rejected,
            n_pulled,
            n_quarantined,
            n_conflicts,
        } = report;
        Self::Synced {
            n_pushed,
            n_rejected,
            n_pulled,
            n_quarantined,
            n_conflicts,
        }
    }

    fn problem(problem: &Problem) -> Self {
        Self::Failed {
            code: scrubbed(&problem.code),
            message: scrubbed(&problem.message),
        }
    }

    fn told(event: &Event) -> Option<Self> {
        match event {
            Event::Sync(event) => Self::in_sync(event),
            // Told as well, and once.
            Event::Failed(problem) if is_asked(&problem.code) => None,
            Event::Failed(problem) => Some(Self::problem(problem)),
            Event::NeedsLogin => Some(Self::NeedsLogin),
            Event::NeedsChoice => Some(Self::NeedsChoice),
        }
    }
}

/// Whether a problem is one for which somebody is asked.
fn is_asked(code: &str) -> bool {
    let choice = matches!(
        ErrorCode::parse(code),
        Some(ErrorCode::EpochChanged | ErrorCode::CursorAhead)
    );
    choice || matches!(code, "unauthorized" | "login_unreadable" | "mass_deletion")
}

impl SyncLog {
    /// Keeps what happens in a sync that somebody watches anyway.
    pub(crate) fn watch(&self, event: &SyncEvent) {
        if let Some(happened) = Happened::in_sync(event) {
            self.write(happened);
        }
    }

    /// Keeps what a background job does from now on, until it stops.
    pub fn follow(&self, sync: &CloudSync) -> impl Future<Output = ()> + Send + use<> {
        let (log, mut events, mut status) = (self.clone(), sync.events(), sync.status());
        self.write(Happened::Started);
        async move {
            let mut was_offline = false;
            loop {
                tokio::select! {
                    event = events.recv() => match event {
                        Ok(event) => Happened::told(&event).into_iter().for_each(|it| log.write(it)),
                        Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => break,
                    },
                    changed = status.changed() => {
                        if changed.is_err() {
                            break;
                        }
                        let is_offline = status.borrow_and_update().is_offline;
                        if is_offline && !was_offline {
                            log.write(Happened::Offline);
                        }
                        was_offline = is_offline;
                    }
                }
            }
        }
    }
}
