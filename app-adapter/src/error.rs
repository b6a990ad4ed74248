//! Everything that can go wrong on the app's side, in words that say what to do.

use std::{fmt, io, path::PathBuf};

use sea_orm::DbErr;
use sync_core::{RegistryError, SyncError, TransportError};

use crate::{account::LocalUser, database};

/// Why something did not work. No message holds a password or a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// The database file cannot be used.
    #[error("`{}` {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is the matter with it.
        problem: FileProblem,
        /// What the operating system or SQLite said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The file with the key that seals the login cannot be read or written.
    #[error("the key file `{}` cannot be used", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Where the key file belongs there is another file, which is left alone.
    #[error("`{}` is not a key of Zentrio Sync: move it away, a new one is made then", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The login could not be sealed.
    #[error("the login cannot be sealed")]
    Seal,
    /// The login that is stored cannot be opened: it was copied here without its key, or was changed.
    #[error("the login stored in this database cannot be opened with its key file: log in again")]
    LoginUnreadable,
    /// The server's address will not do.
    #[error("the address `{url}` will not do: {reason}")]
    Url {
        /// The address, as it was given.
        url: String,
        /// Why, and what would.
        reason: &'static str,
    },
    /// No email address was given, and none is known from before.
    #[error("no email address was given: say whose account it is with --email")]
    NoEmail,
    /// No password was given, and nobody can be asked for one.
    #[error(
        "no password was given: pass it on stdin with --password-stdin, or in ZENTRIO_PASSWORD"
    )]
    NoPassword,
    /// What was given for a row names none.
    #[error("`{text}` names no row: give its id in this database, or its remote_id")]
    RowId {
        /// What was given.
        text: String,
    },
    /// The command line is wrong in another way.
    #[error("{0}")]
    Usage(String),
    /// The server knows no such account, or the password is another.
    #[error("the server does not accept this email and password: check both and try again")]
    WrongPassword,
    /// The database is tied to another account.
    #[error(
        "this database belongs to {email} at {url}: connect with that account, or say what becomes of its data: \
         merge it into this one (--merge), or set it aside (--set-aside)"
    )]
    OtherAccount {
        /// The account it is tied to.
        email: String,
        /// The server it is tied to.
        url: String,
    },
    /// Nobody in the database goes by that name.
    #[error(
        "there is no local user `{name}` in this database{}",
        listed("; there are: ", users)
    )]
    UnknownLocalUser {
        /// What was asked for.
        name: String,
        /// Who there is.
        users: Vec<LocalUser>,
    },
    /// Several users could be meant.
    #[error(
        "this database holds several users: say with --local-user whose data to sync{}",
        listed(": ", users)
    )]
    SeveralLocalUsers {
        /// Who could be meant.
        users: Vec<LocalUser>,
    },
    /// The database syncs another of its users already.
    #[error(
        "this database syncs its user `{id}` already: leave --local-user out, or use another database file"
    )]
    OtherLocalUser {
        /// Whose data is synced.
        id: String,
    },
    /// The entities contradict themselves: never in a program whose tests ran.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The sync itself.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The page is only for this machine.
    #[error(
        "the page cannot be served on `{listen}`: give an address of this machine alone, such as 127.0.0.1:8788"
    )]
    NotLoopback {
        /// Where it was to be.
        listen: std::net::SocketAddr,
    },
    /// The page's port cannot be had.
    #[error(
        "port {} of {} is not free: another program has it, perhaps this one already. Give another with --listen",
        listen.port(), listen.ip()
    )]
    Listen {
        /// Where it was to be.
        listen: std::net::SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file that tells programs where the page is cannot be written.
    #[error("`{}` cannot be written", path.display())]
    PageFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The sync panicked.
    #[error(
        "the sync stopped by a mistake of the program; it begins again by itself. Report it if it recurs"
    )]
    Panicked,
    /// The background job has been stopped.
    #[error("the background sync has been stopped: start the app again")]
    Stopped,
    /// What the terminal, or the program that reads our output, said.
    #[error("input or output failed")]
    Io(#[from] io::Error),
}

/// What is the matter with a database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileProblem {
    /// Its folder does not exist.
    NoFolder,
    /// It is a folder.
    IsFolder,
    /// It is a link to a file in another folder, or to none.
    Link,
    /// It is no SQLite database, or an encrypted one.
    NotADatabase,
    /// It is a SQLite database with other tables.
    NotZentrio,
    /// A newer version of this program has changed its tables.
    Newer,
    /// It may not be written.
    ReadOnly,
    /// Another program keeps it locked.
    Locked,
    /// It is damaged.
    Damaged,
    /// Another file has been put in its place while it was open.
    Replaced,
    /// There is no room left.
    DiskFull,
    /// There is no room for the copy that is kept of it before it is adopted.
    NoRoomForCopy,
    /// No copy of it can be kept, so it is not adopted.
    NoCopy,
    /// It cannot be opened, or something else failed.
    Unusable,
}

impl FileProblem {
    /// A stable word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoFolder => "no_folder",
            Self::IsFolder => "is_folder",
            Self::Link => "link",
            Self::NotADatabase => "not_a_database",
            Self::NotZentrio => "not_zentrio",
            Self::Newer => "newer_database",
            Self::ReadOnly => "read_only",
            Self::Locked => "locked",
            Self::Damaged => "damaged",
            Self::Replaced => "replaced",
            Self::DiskFull => "disk_full",
            Self::NoRoomForCopy => "no_room_for_copy",
            Self::NoCopy => "no_copy",
            Self::Unusable => "unusable",
        }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFolder => "cannot be created: its folder does not exist",
            Self::IsFolder => "is a folder: name a database file",
            Self::Link => {
                "is a link to another folder, which is not followed: name the file itself"
            }
            Self::NotADatabase => "is not a SQLite database: it was left as it is",
            Self::NotZentrio => "is a database, but not one of Zentrio's: it was left as it is",
            Self::Newer => "was changed by a newer version of this program: update this one",
            Self::ReadOnly => "cannot be written: it or its folder is read-only",
            Self::Locked => "is locked by another program: try again when that has finished",
            Self::Damaged => "is damaged: restore it from a backup",
            Self::Replaced => "has been replaced by another file: start this program again",
            Self::DiskFull => "cannot be written: there is no room left",
            Self::NoRoomForCopy => {
                "was left as it is: there is no room beside it for the copy that is kept before it is adopted"
            }
            Self::NoCopy => {
                "was left as it is: the copy that is kept before it is adopted cannot be made beside it"
            }
            Self::Unusable => "cannot be used",
        })
    }
}

impl AdapterError {
    /// A stable word for programs.
    pub fn word(&self) -> &str {
        match self {
            Self::File { problem, .. } => problem.word(),
            Self::KeyFile { .. } => "key_file",
            Self::NotAKey { .. } => "not_a_key",
            Self::Seal => "seal",
            Self::LoginUnreadable => "login_unreadable",
            Self::Url { .. } => "bad_url",
            Self::NoEmail => "no_email",
            Self::NoPassword => "no_password",
            Self::Usage(_) => "usage",
            Self::RowId { .. } => "bad_row_id",
            Self::WrongPassword => "wrong_password",
            Self::OtherAccount { .. } => "other_account",
            Self::UnknownLocalUser { .. } => "unknown_local_user",
            Self::SeveralLocalUsers { .. } => "several_local_users",
            Self::OtherLocalUser { .. } => "other_local_user",
            Self::Registry(_) => "registry",
            Self::Sync(SyncError::Database(error))
                if database::problem(error) == FileProblem::Locked =>
            {
                "locked"
            }
            Self::Sync(error) => error.word(),
            Self::NotLoopback { .. } => "not_loopback",
            Self::Listen { .. } => "port_taken",
            Self::PageFile { .. } => "page_file",
            Self::Panicked => "panicked",
            Self::Stopped => "stopped",
            Self::Io(_) => "io",
        }
    }
}

impl From<DbErr> for AdapterError {
    fn from(error: DbErr) -> Self {
        Self::Sync(error.into())
    }
}

impl From<TransportError> for AdapterError {
    fn from(error: TransportError) -> Self {
        Self::Sync(error.into())
    }
}

fn listed(before: &str, users: &[LocalUser]) -> String {
    let users: Vec<String> = users.iter().map(ToString::to_string).collect();
    if users.is_empty() {
        String::new()
    } else {
        format!("{before}{}", users.join(", "))
    }
}
