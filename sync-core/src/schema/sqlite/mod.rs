//! Capture on SQLite: triggers, in the SQL of SQLite 3.31, because other programs with older builds
//! than ours write the file too.
//!
//! Every write to `sync_pending` is an upsert: a plain `OR` clause would be overruled by the one of
//! the statement that fired the trigger (<https://sqlite.org/lang_createtrigger.html>).

mod edits;
mod follow;
mod identity;
mod replaced;

use super::{
    capture::{Captured, quoted, text},
    installed::Trigger,
};

/// The triggers of a table's capture.
pub(super) fn triggers(captured: &Captured) -> Vec<Trigger> {
    let mut triggers = edits::triggers(captured);
    triggers.extend(identity::triggers(captured));
    triggers.extend(replaced::triggers(captured));
    triggers.extend(follow::triggers(captured));
    triggers
}

/// The engine's own writes are not captured: see the guard table.
const NOT_APPLYING: &str = "(SELECT applying FROM sync_guard) = 0";

/// The device's clock in milliseconds, or the pinned one.
pub(super) const NOW: &str = "coalesce((SELECT pinned_ms FROM sync_clock), \
    CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER))";

/// The value of a register's columns as one text that differs when the value does, blobs included.
pub(crate) fn register_text(columns: &[&str], row: &str) -> String {
    let parts: Vec<String> = columns
        .iter()
        .map(|c| format!("{row}{}", quoted(c)))
        // quote() ends where a text has a NUL.
        .map(|c| format!("CASE WHEN instr({c}, char(0)) THEN 'x' || hex({c}) ELSE quote({c}) END"))
        .collect();
    parts.join(" || ',' || ")
}

/// Milliseconds as SeaORM writes a time.
pub(super) fn time_text(millis: &str) -> String {
    format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', ({millis}) / 1000.0, 'unixepoch')")
}

/// A time column's instant in milliseconds, whatever text form it has.
pub(crate) fn millis_of(column: &str) -> String {
    format!("CAST(round((julianday({column}) - 2440587.5) * 86400000.0) AS INTEGER)")
}

/// Now, but later than the row's last edit: a clock that steps back must not make an edit look older
/// than what it was made on.
fn stamp(row: &str) -> String {
    let before = millis_of(&format!("{row}updated_at"));
    format!("max({NOW}, coalesce({before} + 1, 0))")
}

/// How far the device has pulled: an edit is made on what it has seen, whatever its clock says. A server
/// has always seen everything.
fn cursor(captured: &Captured) -> &'static str {
    if captured.has_rejected {
        "(SELECT coalesce(cursor, '0') FROM sync_state)"
    } else {
        "NULL"
    }
}

/// A trigger that does `body` when `when` on the table `on`, except for the engine's own writes.
fn trigger(captured: &Captured, name: &str, when: &str, on: &str, body: &str) -> Trigger {
    let name = format!("sync_{}_{name}", captured.table);
    let (event, condition) = match when.split_once(" WHEN ") {
        Some((event, condition)) => (event, format!(" AND {condition}")),
        None => (when, String::new()),
    };
    let create = format!(
        "CREATE TRIGGER {} {event} ON {} WHEN {NOT_APPLYING}{condition} BEGIN\n{body}\nEND",
        quoted(&name),
        quoted(on),
    );
    let drop = format!("DROP TRIGGER IF EXISTS {}", quoted(&name));
    Trigger {
        name,
        on: on.to_owned(),
        text: create.clone(),
        statements: vec![drop, create],
    }
}

/// Forgets that the server refused a row which is gone; on a server there is nothing to forget.
fn forget_rejection(captured: &Captured, which: &str) -> String {
    if !captured.has_rejected {
        return String::new();
    }
    format!(
        "\n  DELETE FROM sync_rejected WHERE tbl = {} AND {which};",
        text(captured.table)
    )
}
