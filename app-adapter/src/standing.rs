//! Where a database stands, in one word and in full.

use std::path::PathBuf;

use serde::Serialize;
use sync_core::device::Status;

/// Where a database stands, in one word. The first that fits, from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// There is no login.
    NotConnected,
    /// There is a login, but it opens nothing any more: log in again.
    LoginNeeded,
    /// Some rows cannot be synced until somebody looks at them.
    Attention,
    /// Something waits for the next sync.
    Pending,
    /// All is at the server, as of the last sync.
    Synced,
}

/// Where a database stands, in full. Holds no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The same in one word.
    pub state: Standing,
    /// Rows with changes that the server does not have yet, over all tables.
    pub n_pending: u64,
    /// The copy that was kept of the database as it was before it was adopted.
    pub copy_before_sync: Option<String>,
    /// What the engine says.
    #[serde(flatten)]
    pub status: Status,
}

/// What is known of the login beyond what the engine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    None,
    Unreadable,
    Readable,
}

impl Overview {
    pub(crate) fn new(mut status: Status, login: Login) -> Self {
        status.connected = login != Login::None;
        let n_pending = status.pending.iter().map(|table| table.n_rows).sum();
        let expired = status
            .last_error
            .as_deref()
            .is_some_and(|error| error.starts_with("unauthorized:"));
        let state = match login {
            Login::None => Standing::NotConnected,
            Login::Unreadable => Standing::LoginNeeded,
            Login::Readable if expired => Standing::LoginNeeded,
            Login::Readable if !status.rejected.is_empty() || !status.quarantined.is_empty() => {
                Standing::Attention
            }
            Login::Readable if n_pending > 0 || status.last_sync_ms.is_none() => Standing::Pending,
            Login::Readable => Standing::Synced,
        };
        Self {
            state,
            n_pending,
            copy_before_sync: None,
            status,
        }
    }

    pub(crate) fn with_copy(mut self, copy: Option<PathBuf>) -> Self {
        self.copy_before_sync = copy.map(|path| path.display().to_string());
        self
    }
}

#[cfg(test)]
mod tests {
    use sync_core::device::{PendingTable, QuarantinedRow};

    use super::*;

    fn status() -> Status {
        Status {
            connected: true,
            remote_url: None,
            email: None,
            user_id: None,
            last_sync_ms: Some(1),
            last_error: None,
            last_error_code: None,
            last_error_ms: None,
            pending: Vec::new(),
            rejected: Vec::new(),
            quarantined: Vec::new(),
            set_aside: Vec::new(),
        }
    }

    #[test]
    fn the_gravest_comes_first() {
        let mut status = status();
        let standing = |status: &Status, login| Overview::new(status.clone(), login).state;
        assert_eq!(standing(&status, Login::Readable), Standing::Synced);
        status.last_error = Some("offline: no connection".to_owned());
        assert_eq!(
            standing(&status, Login::Readable),
            Standing::Synced,
            "offline is a quiet state"
        );
        status.last_sync_ms = None;
        assert_eq!(standing(&status, Login::Readable), Standing::Pending);
        status.pending = vec![PendingTable {
            table: "lists".to_owned(),
            n_rows: 2,
        }];
        assert_eq!(Overview::new(status.clone(), Login::Readable).n_pending, 2);
        let row = QuarantinedRow {
            table: String::new(),
            remote_id: String::new(),
            row_id: None,
            code: String::new(),
            field: None,
            reason: String::new(),
            at_ms: 0,
            since_ms: 0,
        };
        status.quarantined = vec![row];
        assert_eq!(standing(&status, Login::Readable), Standing::Attention);
        status.last_error = Some("unauthorized: log in again".to_owned());
        assert_eq!(standing(&status, Login::Readable), Standing::LoginNeeded);
        assert_eq!(standing(&status, Login::Unreadable), Standing::LoginNeeded);
        assert_eq!(standing(&status, Login::None), Standing::NotConnected);
    }

    #[test]
    fn a_login_of_an_older_app_counts_for_nothing() {
        let overview = Overview::new(status(), Login::None);
        assert!(!overview.status.connected);
    }
}
