//! Why a device could not sync.

use std::time::Duration;

use sea_orm::DbErr;

use crate::{protocol::ErrorCode, transport::TransportError};

/// Why a sync did not come to its end. What was done before stays done; nothing is lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The database is not connected to a server.
    #[error("this database is not connected to a server: connect it first")]
    NotConnected,
    /// Another program, or another part of this one, is syncing this database.
    #[error("this database is being synced already")]
    Busy,
    /// The server was not reached, or its answer did not arrive whole.
    #[error("the server cannot be reached: {0}")]
    Transport(#[from] TransportError),
    /// The server does not accept the device's token.
    #[error("the login has expired or was revoked: log in again")]
    Unauthorized,
    /// The server refused the request.
    #[error("the server refused ({code}): {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable word for it, or `http_` and the status where the answer had none.
        code: String,
        /// What the server says to do.
        message: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The server has taken a later push of this device: this database, or the other one, is a copy.
    #[error("a later push of this device was taken before: {last}")]
    Overtaken {
        /// The number of the last push it took.
        last: i64,
    },
    /// The answer is not what a sync server sends, as behind a hotel's login page.
    #[error("the answer is not from a sync server: {0}")]
    NotASyncServer(String),
    /// A newer version of the program has synced this database.
    #[error(
        "a newer version of this program has synced this database: it knows `{table}{}`. Update this one; \
         nothing was changed here, and nothing is lost",
        column.as_ref().map(|column| format!(".{column}")).unwrap_or_default()
    )]
    NewerDatabase {
        /// The table.
        table: String,
        /// The column that this version does not know; none if it does not know the table.
        column: Option<String>,
    },
    /// The server lacks most of what it had: it may have lost it.
    #[error(
        "the server no longer has {n_gone} of the {n_rows} rows it had; nothing was deleted here. \
         Say whether this device's rows or the server's state is right"
    )]
    MassDeletion {
        /// Live rows here that the server had and does not have.
        n_gone: u64,
        /// Live rows here that the server had.
        n_rows: u64,
    },
    /// No such table is synced.
    #[error("no table `{0}` is synced: check its name")]
    UnknownTable(String),
    /// There is no such row, or none of the synced account.
    #[error("there is no row {id} in `{table}`, neither here nor among what was deleted here")]
    UnknownRow {
        /// The table.
        table: String,
        /// The row, as it was asked for.
        id: String,
    },
    /// What was asked for loses data, and nobody has confirmed it.
    #[error("{0}")]
    Unconfirmed(String),
    /// The server's form of a row cannot be written in this database.
    #[error(
        "the server's form of the row cannot be written here, so that nothing was changed: {0}"
    )]
    NotWritten(String),
    /// The local database's file is damaged.
    #[error(
        "the database file is damaged, so that nothing of it is sent: restore it from a backup"
    )]
    Damaged,
    /// The local database failed.
    #[error("the local database failed: {0}")]
    Database(#[from] DbErr),
}

impl SyncError {
    /// Whether the same may well succeed later without anybody doing something.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport(_)
            | Self::Busy
            | Self::Overtaken { .. }
            | Self::NotASyncServer(_)
            | Self::Database(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 409 | 429) || *status >= 500,
            Self::NotConnected
            | Self::Unauthorized
            | Self::NewerDatabase { .. }
            | Self::MassDeletion { .. }
            | Self::UnknownTable(_)
            | Self::UnknownRow { .. }
            | Self::Unconfirmed(_)
            | Self::Damaged
            | Self::NotWritten(_) => false,
        }
    }

    /// Whether the request was more than the server, or a proxy before it, takes at once.
    pub(crate) fn is_too_large(&self) -> bool {
        matches!(self, Self::Refused { status: 413, .. })
    }

    /// Whether the server itself does not want a push as it is. Any other failure leaves open what became of it.
    pub(crate) fn is_verdict_on_request(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                let later = matches!(status, 401 | 403 | 408 | 425 | 429) || *status >= 500;
                self.is_too_large() || (self.code().is_some() && !later)
            }
            Self::Overtaken { .. } => true,
            _ => false,
        }
    }

    /// Whether a person has to say whose rows are right, with [`Device::restart`](crate::device::Device::restart).
    pub fn needs_choice(&self) -> bool {
        let code = self.code();
        matches!(self, Self::MassDeletion { .. })
            || matches!(code, Some(ErrorCode::EpochChanged | ErrorCode::CursorAhead))
    }

    /// How long the server asks to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the device merely is offline: a quiet state, not a failure.
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Transport(error) if error.offline)
    }

    /// The stable code of the server's refusal.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { code, .. } => ErrorCode::parse(code),
            _ => None,
        }
    }

    /// A stable word for programs, whatever the cause.
    pub fn word(&self) -> &str {
        match self {
            Self::NotConnected => "not_connected",
            Self::Busy => "busy",
            Self::Transport(error) if error.offline => "offline",
            Self::Transport(_) => "unreachable",
            Self::Unauthorized => "unauthorized",
            Self::Refused { code, .. } => code,
            Self::Overtaken { .. } => ErrorCode::PushOvertaken.as_str(),
            Self::NotASyncServer(_) => "not_a_sync_server",
            Self::NewerDatabase { .. } => "newer_database",
            Self::MassDeletion { .. } => "mass_deletion",
            Self::UnknownTable(_) => "unknown_table",
            Self::UnknownRow { .. } => "unknown_row",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::NotWritten(_) => "not_written",
            Self::Damaged => "damaged",
            Self::Database(_) => "database",
        }
    }
}
