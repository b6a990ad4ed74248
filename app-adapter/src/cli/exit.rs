//! How the program ends: one number for each thing a script may want to tell apart.

use std::process::ExitCode;

use sync_core::SyncError;

use crate::{AdapterError, FileProblem, database};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    LoginNeeded = 3,
    Unreachable = 4,
    Busy = 5,
    Incomplete = 6,
    FileUnusable = 7,
    ChoiceNeeded = 8,
    Unsound = 9,
}

impl Exit {
    pub(crate) const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::LoginNeeded,
        Self::Unreachable,
        Self::Busy,
        Self::Incomplete,
        Self::FileUnusable,
        Self::ChoiceNeeded,
        Self::Unsound,
    ];

    /// What the help says of it.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed in another way; the message says why",
            Self::Usage => {
                "wrong usage: a flag, an address, a table or row that is not there, or it is not clear who or what is meant"
            }
            Self::LoginNeeded => "not connected, or the login is not accepted: connect",
            Self::Unreachable => "offline, or the server cannot answer now: try again later",
            Self::Busy => {
                "another sync, or another program, has the database locked: try again soon"
            }
            Self::Incomplete => "synced, but some rows need attention: see status",
            Self::FileUnusable => "the database file, or its key file, cannot be used",
            Self::ChoiceNeeded => {
                "somebody has to choose: the server's data is not what was synced with (sync --keep-mine or \
                 --take-theirs), or the database is another account's (connect --merge or --set-aside)"
            }
            Self::Unsound => {
                "doctor: something is not in order; with --check, or because it cannot be put right here"
            }
        }
    }

    /// The end that an error makes.
    pub(crate) fn of(error: &AdapterError) -> Self {
        match error {
            AdapterError::Url { .. }
            | AdapterError::NoEmail
            | AdapterError::NoPassword
            | AdapterError::Usage(_)
            | AdapterError::NotLoopback { .. }
            | AdapterError::RowId { .. }
            | AdapterError::UnknownLocalUser { .. }
            | AdapterError::SeveralLocalUsers { .. }
            | AdapterError::OtherLocalUser { .. } => Self::Usage,
            AdapterError::WrongPassword | AdapterError::LoginUnreadable => Self::LoginNeeded,
            AdapterError::File { problem, .. } => Self::of_file(*problem),
            AdapterError::KeyFile { .. } | AdapterError::NotAKey { .. } => Self::FileUnusable,
            AdapterError::Sync(error) => Self::of_sync(error),
            AdapterError::OtherAccount { .. } => Self::ChoiceNeeded,
            AdapterError::Seal
            | AdapterError::Panicked
            | AdapterError::Listen { .. }
            | AdapterError::PageFile { .. }
            | AdapterError::Stopped
            | AdapterError::Registry(_)
            | AdapterError::Io(_) => Self::Failed,
        }
    }

    fn of_sync(error: &SyncError) -> Self {
        if error.needs_choice() {
            return Self::ChoiceNeeded;
        }
        match error {
            SyncError::NotConnected | SyncError::Unauthorized => Self::LoginNeeded,
            SyncError::UnknownTable(_)
            | SyncError::UnknownRow { .. }
            | SyncError::Unconfirmed(_) => Self::Usage,
            SyncError::Refused {
                status: 401 | 403, ..
            } => Self::LoginNeeded,
            SyncError::Refused {
                status: 408 | 429 | 500..,
                ..
            } => Self::Unreachable,
            SyncError::Transport(_) | SyncError::NotASyncServer(_) => Self::Unreachable,
            SyncError::Busy => Self::Busy,
            SyncError::NewerDatabase { .. } | SyncError::Damaged => Self::FileUnusable,
            SyncError::Database(error) => match database::problem(error) {
                FileProblem::Unusable => Self::Failed,
                problem => Self::of_file(problem),
            },
            _ => Self::Failed,
        }
    }

    fn of_file(problem: FileProblem) -> Self {
        if problem == FileProblem::Locked {
            Self::Busy
        } else {
            Self::FileUnusable
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What `--help` says below the flags.
pub(crate) fn long_help() -> String {
    let codes: Vec<String> = Exit::ALL
        .iter()
        .map(|exit| format!("  {}  {}", *exit as u8, exit.meaning()))
        .collect();
    format!("{EXAMPLES}\n\nExit codes:\n{}", codes.join("\n"))
}

const EXAMPLES: &str = "\
Usage by example:
  zentrio --database FILE connect --url URL --email EMAIL [--password-stdin]
  zentrio --database FILE sync [--json] [--keep-mine | --take-theirs]
  zentrio --database FILE status [--json]
  zentrio --database FILE explain TABLE ID [--json]
  zentrio --database FILE discard TABLE ID [--yes] [--json]
  zentrio --database FILE leave-out TABLE ID [--json]
  zentrio --database FILE retry [TABLE ID] [--json]
  zentrio --database FILE doctor [--check] [--json]
  zentrio --database FILE run [--once] [--listen 127.0.0.1:8788]
  zentrio --database FILE logs [-n 100] [--follow] [--json]
  zentrio --database FILE disconnect [--json]
  zentrio completions bash > ~/.local/share/bash-completion/completions/zentrio

Every flag has an environment variable; see also zentrio connect --help. The password is asked for, or read
from stdin with --password-stdin, or taken from ZENTRIO_PASSWORD. The login is kept in the database, sealed
with the key in FILE.key beside it: whoever copies one without the other has to log in again.

Results go to stdout, everything else to stderr. With --json stdout is one JSON object, of an error
{\"error\":{\"code\":..,\"message\":..}}. ZENTRIO_LOG=debug says more on stderr; NO_COLOR and CLICOLOR=0
switch colours off. On a terminal, work that takes long shows how far it is; elsewhere it says so every 5 s.
FILE.log, which only its owner can read, keeps what run, sync and retry did, without secrets: zentrio logs.";

#[cfg(test)]
mod tests {
    use std::io;

    use sea_orm::DbErr;
    use sync_core::TransportError;

    use super::*;

    fn refused(status: u16) -> SyncError {
        SyncError::Refused {
            status,
            code: "x".to_owned(),
            message: String::new(),
            retry_after: None,
        }
    }

    #[test]
    fn every_cause_has_its_code() {
        let file = |problem| AdapterError::File {
            path: "f".into(),
            problem,
            source: None,
        };
        let sync = AdapterError::Sync;
        let users = Vec::new;
        let other = || AdapterError::OtherAccount {
            email: String::new(),
            url: String::new(),
        };
        let unknown = AdapterError::UnknownLocalUser {
            name: String::new(),
            users: users(),
        };
        for (error, expected) in [
            (
                AdapterError::Url {
                    url: String::new(),
                    reason: "",
                },
                2,
            ),
            (AdapterError::NoEmail, 2),
            (AdapterError::NoPassword, 2),
            (AdapterError::Usage(String::new()), 2),
            (
                AdapterError::RowId {
                    text: String::new(),
                },
                2,
            ),
            (sync(SyncError::UnknownTable(String::new())), 2),
            (sync(SyncError::Unconfirmed(String::new())), 2),
            (unknown, 2),
            (AdapterError::SeveralLocalUsers { users: users() }, 2),
            (AdapterError::OtherLocalUser { id: String::new() }, 2),
            (AdapterError::WrongPassword, 3),
            (AdapterError::LoginUnreadable, 3),
            (sync(SyncError::NotConnected), 3),
            (sync(SyncError::Unauthorized), 3),
            (sync(refused(403)), 3),
            (sync(SyncError::Transport(TransportError::offline("x"))), 4),
            (sync(SyncError::Transport(TransportError::lost("x"))), 4),
            (sync(SyncError::NotASyncServer(String::new())), 4),
            (sync(refused(429)), 4),
            (sync(refused(503)), 4),
            (sync(SyncError::Busy), 5),
            (
                sync(SyncError::MassDeletion {
                    n_gone: 21,
                    n_rows: 21,
                }),
                8,
            ),
            (file(FileProblem::Locked), 5),
            (file(FileProblem::NotADatabase), 7),
            (file(FileProblem::ReadOnly), 7),
            (file(FileProblem::Newer), 7),
            (
                sync(SyncError::NewerDatabase {
                    table: "x".to_owned(),
                    column: None,
                }),
                7,
            ),
            (AdapterError::NotAKey { path: "f".into() }, 7),
            (
                AdapterError::KeyFile {
                    path: "f".into(),
                    source: io::Error::other("x"),
                },
                7,
            ),
            (other(), 8),
            (AdapterError::Io(io::Error::other("x")), 1),
            (sync(refused(426)), 1),
            (sync(SyncError::Overtaken { last: 1 }), 1),
            (sync(SyncError::Database(DbErr::Custom(String::new()))), 1),
        ] {
            assert_eq!(Exit::of(&error) as u8, expected, "{error:?}");
        }
    }

    #[test]
    fn the_numbers_are_in_order() {
        for (number, exit) in Exit::ALL.iter().enumerate() {
            assert_eq!(*exit as usize, number);
        }
    }
}
