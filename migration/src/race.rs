//! Telling that another program did the same at the same time.

use sea_orm_migration::sea_orm::{DbErr, RuntimeErr};

/// What Postgres, and what speaks its language, answer to one of two who create or change the same thing:
/// taken keys, also in its own catalogue, things that are there already or no longer, conflicts, deadlocks,
/// a lock that did not come in time, and a row of the catalogue that was changed meanwhile.
const STATES: [&str; 12] = [
    "23505", "42P07", "42P06", "42710", "42701", "42723", "42704", "40001", "40P01", "55P03",
    "55006", "XX000",
];

/// Whether the same, done again, may find it done by the other one.
pub(crate) fn is_race(error: &DbErr) -> bool {
    let (DbErr::Exec(error) | DbErr::Query(error) | DbErr::Conn(error)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(error) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| STATES.contains(&&*code))
}
