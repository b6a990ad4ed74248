//! What an engine tells while it works, for whoever draws it.

use serde::Serialize;

/// Something happened in a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SyncEvent {
    /// A sync began.
    Started {
        /// Changes waiting to be pushed.
        n_pending: u64,
    },
    /// A batch was pushed and answered.
    Pushed {
        /// Rows in it.
        n_rows: u64,
    },
    /// The server did not take a row.
    Rejected {
        /// Its table.
        table: String,
        /// Its primary key here.
        row_id: i64,
        /// Why, as a stable word.
        code: String,
        /// Why, in words.
        message: String,
    },
    /// A page was pulled and applied.
    Pulled {
        /// Rows in it.
        n_rows: u64,
        /// Whether there is more.
        has_more: bool,
    },
    /// A row that was pulled cannot be written here and was set aside.
    Quarantined {
        /// Its table.
        table: String,
        /// Its name.
        remote_id: String,
        /// Why.
        reason: String,
    },
    /// The sync came to its end.
    Finished(SyncReport),
}

/// What a sync did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// Rows sent.
    pub n_pushed: u64,
    /// Rows the server did not take.
    pub n_rejected: u64,
    /// Rows received, without those that were as they are here.
    pub n_pulled: u64,
    /// Rows received that cannot be written here.
    pub n_quarantined: u64,
    /// Registers whose local value gave way to a later one from elsewhere.
    pub n_conflicts: u64,
}
