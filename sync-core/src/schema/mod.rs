//! The framework's own tables, and what it installs around an entity's table.
//!
//! Everything here is safe to repeat: it looks at what is there and adds what is missing.

mod adopt;
mod capture;
mod install;
mod installed;
mod layout;
mod outdated;
mod postgres;
mod sqlite;
mod tables;

pub use install::{CaptureDifference, check, install, install_entity, install_in, pin_clock};
pub use postgres::tell::PENDING_CHANNEL;
use sea_orm::DbBackend;

pub(crate) use capture::{quoted, text};
pub(crate) use installed::fingerprint;
pub(crate) use outdated::{Outdated, Retired, outdated};
pub(crate) use sqlite::{millis_of, register_text};

/// The database's clock in milliseconds as an SQL expression, or the pinned one.
pub(crate) fn now_sql(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => sqlite::NOW,
        _ => postgres::NOW,
    }
}

/// The same as a value for a time column.
pub(crate) fn time_sql(backend: DbBackend) -> String {
    match backend {
        DbBackend::Sqlite => sqlite::time_text(sqlite::NOW),
        _ => format!("to_timestamp({} / 1000.0)", postgres::NOW),
    }
}

/// Which end of the sync a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// An application's own database, on SQLite.
    Device,
    /// The server's database, on SQLite or Postgres.
    Server,
}
