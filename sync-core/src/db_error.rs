//! Whose fault a database's error is: the row's, another transaction's, or that of the database itself.
//!
//! Only what a row's own values cause may be held against the row. A full disk, a lock or a lost
//! connection would come back with any other row, and so fails the whole transaction.

use sea_orm::{DbErr, RuntimeErr};

/// Whether the values of the row that was written are at fault: it breaks a constraint, or holds what
/// its columns cannot.
pub(crate) fn is_the_rows(error: &DbErr) -> bool {
    use sea_orm::sqlx::Error;
    match sqlx_error(error) {
        Some(Error::Encode(_)) => true,
        Some(Error::Database(database)) => match code(error) {
            Some(Code::Sqlite(code)) => sqlite_blames_row(code, database.message()),
            Some(Code::Postgres(state)) => postgres_blames_row(&state),
            None => false,
        },
        _ => matches!(error, DbErr::Type(_) | DbErr::Json(_)),
    }
}

fn sqlite_blames_row(code: u32, message: &str) -> bool {
    const ERROR: u32 = 1;
    const TOOBIG: u32 = 18;
    const CONSTRAINT: u32 = 19;
    const MISMATCH: u32 = 20;
    match code {
        TOOBIG | CONSTRAINT | MISMATCH => true,
        // What an index or a trigger computes of the values has no code of its own.
        ERROR => message.starts_with("malformed JSON") || message.starts_with("integer overflow"),
        _ => false,
    }
}

fn postgres_blames_row(state: &str) -> bool {
    // Data, constraints, a view's check; what a trigger raises; a value too long for its index.
    ["22", "23", "44"]
        .iter()
        .any(|class| state.starts_with(class))
        || matches!(state, "P0001" | "54000")
}

/// Serialisation failures and deadlocks: the database asks to run the transaction again.
pub(crate) fn is_conflict(error: &DbErr) -> bool {
    matches!(code(error), Some(Code::Postgres(state)) if matches!(state.as_str(), "40001" | "40P01"))
}

/// Another program created or changed the same thing at the same time: taken keys, also in the database's own
/// catalogue, things that are there already or no longer, locks that did not come, and a row of the catalogue
/// that was changed meanwhile.
pub(crate) fn is_race(error: &DbErr) -> bool {
    const STATES: [&str; 11] = [
        "23505", "42P07", "42710", "42701", "42723", "42704", "40001", "40P01", "55P03", "55006",
        "XX000",
    ];
    matches!(code(error), Some(Code::Postgres(state)) if STATES.contains(&state.as_str()))
}

/// The database is full, locked, restarting or out of connections: later it may well work.
pub(crate) fn is_passing(error: &DbErr) -> bool {
    use sea_orm::sqlx::Error;
    if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
        return true;
    }
    match (code(error), sqlx_error(error)) {
        // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN.
        (Some(Code::Sqlite(code)), _) => matches!(code, 5..=10 | 13 | 14),
        // Connection, conflicts, resources, state, the operator's intervention, the system.
        (Some(Code::Postgres(state)), _) => ["08", "40", "53", "55", "57", "58"]
            .iter()
            .any(|class| state.starts_with(class)),
        (None, Some(error)) => matches!(
            error,
            Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed
        ),
        (None, None) => false,
    }
}

/// A row that was found holds what its columns' types cannot: another program has written it.
pub(crate) fn is_unreadable(error: &DbErr) -> bool {
    use sea_orm::sqlx::Error;
    match error {
        DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => true,
        _ => matches!(
            sqlx_error(error),
            Some(Error::ColumnDecode { .. } | Error::Decode(_))
        ),
    }
}

/// Whether another row has a key that must be had by one row only.
pub(crate) fn is_taken_key(error: &DbErr) -> bool {
    matches!(
        error.sql_err(),
        Some(sea_orm::SqlErr::UniqueConstraintViolation(_))
    )
}

/// What the database said of a row, in the words of a verdict, and the column it named.
pub(crate) fn verdict_code(error: &DbErr) -> (&'static str, Option<String>) {
    const NOT_NULL: &str = "1299";
    let Some(database) = sqlx_error(error).and_then(|error| error.as_database_error()) else {
        return ("constraint", None);
    };
    match database.code().as_deref() {
        // The message ends with the table's and the column's name.
        Some(NOT_NULL) => {
            let column = database.message().rsplit('.').next().map(str::to_owned);
            ("required", column)
        }
        Some("23502") => {
            let postgres = database.try_downcast_ref::<sea_orm::sqlx::postgres::PgDatabaseError>();
            let column = postgres.and_then(|error| error.column()).map(str::to_owned);
            ("required", column)
        }
        Some("22003") => ("out_of_range", None),
        Some("22007" | "22008") => ("invalid_date", None),
        Some("18" | "22001" | "54000") => ("too_long", None),
        _ => ("constraint", None),
    }
}

/// A transaction cannot begin because the connection counts as being inside one.
pub(crate) fn is_left_open(error: &DbErr) -> bool {
    matches!(
        sqlx_error(error),
        Some(sea_orm::sqlx::Error::InvalidSavePointStatement)
    )
}

enum Code {
    /// The primary result code: the lowest byte of what SQLite says.
    Sqlite(u32),
    Postgres(String),
}

fn code(error: &DbErr) -> Option<Code> {
    let code = sqlx_error(error)?.as_database_error()?.code()?;
    // A state of Postgres has five characters; no code of SQLite has that many.
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => Some(Code::Sqlite(number & 0xff)),
        _ => Some(Code::Postgres(code.into_owned())),
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sea_orm::sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}
