//! What the background job tells of itself.

use serde::Serialize;
use sync_core::{SyncEvent, SyncReport};

use crate::{AdapterError, Overview};

/// How things stand. Holds no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyncStatus {
    /// What the database says.
    #[serde(flatten)]
    pub overview: Overview,
    /// What is being done.
    pub activity: Activity,
    /// There is no network. All is well otherwise: edits wait, and go out by themselves.
    pub is_offline: bool,
    /// Why the last sync did not come to its end, where that is worth telling.
    pub problem: Option<Problem>,
    /// What the last sync did that did anything, since the program began.
    pub last_change: Option<Change>,
    /// When the next sync begins if nothing happens, in milliseconds.
    pub next_sync_ms: Option<i64>,
    /// Failures in a row.
    pub n_failures: u32,
    /// Syncs that came to an end, one way or the other, since the program began.
    pub n_syncs: u64,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "doing", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activity {
    /// Nothing; the next trigger is waited for.
    Idle,
    /// A sync.
    Syncing {
        /// Rows to be sent.
        n_to_push: u64,
        /// Rows sent.
        n_pushed: u64,
        /// Rows received.
        n_pulled: u64,
    },
    /// The job has been stopped.
    Stopped,
}

/// What a sync did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What.
    pub report: SyncReport,
    /// When it ended, in milliseconds.
    pub at_ms: i64,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A stable word.
    pub code: String,
    /// What to do, in words for people.
    pub message: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// In a sync: its beginning, progress, a rejected row, its end.
    Sync(SyncEvent),
    /// A sync did not come to its end. Not told where there merely is no network.
    Failed(Problem),
    /// The login has ended. Told once; edits are kept until somebody logs in.
    NeedsLogin,
    /// The server's data is not what was synced with. Told once; nothing is synced until somebody says
    /// whose rows are right.
    NeedsChoice,
}

impl Problem {
    pub(crate) fn of(error: &AdapterError) -> Self {
        Self {
            code: error.word().to_owned(),
            message: error.to_string(),
        }
    }

    /// What an earlier run of a program left in the database.
    pub(crate) fn kept(overview: &Overview) -> Option<Self> {
        let kept = overview.status.last_error.as_deref()?;
        let (code, message) = kept.split_once(": ").unwrap_or(("failed", kept));
        (code != "offline").then(|| Self {
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }
}

impl Activity {
    /// What a sync that begins has done.
    pub(crate) const BEGUN: Self = Self::Syncing {
        n_to_push: 0,
        n_pushed: 0,
        n_pulled: 0,
    };

    /// The same after something happened. Says whether anything changed.
    pub(crate) fn follow(&mut self, event: &SyncEvent) -> bool {
        let Self::Syncing {
            n_to_push,
            n_pushed,
            n_pulled,
        } = self
        else {
            return false;
        };
        match event {
            SyncEvent::Started { n_pending } => *n_to_push = *n_pending,
            SyncEvent::Pushed { n_rows } => {
                *n_pushed += n_rows;
                // Edits made meanwhile go out, too.
                *n_to_push = (*n_to_push).max(*n_pushed);
            }
            SyncEvent::Pulled { n_rows, .. } => *n_pulled += n_rows,
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_on() {
        let mut activity = Activity::BEGUN;
        for event in [
            SyncEvent::Started { n_pending: 3 },
            SyncEvent::Pushed { n_rows: 2 },
            SyncEvent::Pushed { n_rows: 2 },
            SyncEvent::Pulled {
                n_rows: 5,
                has_more: false,
            },
        ] {
            assert!(activity.follow(&event), "{event:?}");
        }
        let expected = Activity::Syncing {
            n_to_push: 4,
            n_pushed: 4,
            n_pulled: 5,
        };
        assert_eq!(activity, expected);
        assert!(
            !Activity::Idle
                .clone()
                .follow(&SyncEvent::Started { n_pending: 1 })
        );
    }
}
