//! Capture on SQLite: triggers, in the SQL of SQLite 3.31, because other programs with older builds
//! than ours write the file too.
//!
//! Every write to `sync_pending` is an upsert: a plain `OR` clause would be overruled by the one of
//! the statement that fired the trigger (<https://sqlite.org/lang_createtrigger.html>).

use super::capture::{Captured, CapturedRegister, Follows, quoted, text};

/// The engine's own writes are not captured: see the guard table.
const NOT_APPLYING: &str = "(SELECT applying FROM sync_guard) = 0";

/// The device's clock in milliseconds, or the pinned one.
pub(super) const NOW: &str = "coalesce((SELECT pinned_ms FROM sync_clock), \
    CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER))";

/// The statements that drop what an earlier installation left, by trigger name.
pub(super) fn drop_triggers(names: &[String]) -> Vec<String> {
    names
        .iter()
        .map(|name| format!("DROP TRIGGER IF EXISTS {}", quoted(name)))
        .collect()
}

/// The statements that install a table's capture.
pub(super) fn create_triggers(captured: &Captured) -> Vec<String> {
    let mut triggers = vec![
        on_insert(captured),
        on_update(captured),
        on_dirty(captured),
        on_delete(captured),
    ];
    triggers.extend(
        captured
            .follows
            .iter()
            .map(|follows| on_parent(captured, follows)),
    );
    triggers
}

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

fn on_insert(captured: &Captured) -> String {
    let Captured { table, id, .. } = captured;
    format!(
        "CREATE TRIGGER {name} AFTER INSERT ON {tbl} WHEN {NOT_APPLYING} BEGIN
  DELETE FROM sync_pending WHERE tbl = {word} AND row_id = NEW.{id};
  INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
    SELECT {word}, NEW.{id}, '*', NULL, {NOW}, 1, 0 WHERE true
    ON CONFLICT (tbl, row_id, register) DO UPDATE SET edits = edits + 1;
  UPDATE {tbl} SET dirty = 1, updated_at = {updated_at} WHERE {id} = NEW.{id};
END",
        name = quoted(&format!("sync_{table}_insert")),
        tbl = quoted(table),
        word = text(table),
        id = quoted(id),
        updated_at = time_text(NOW),
    )
}

fn on_update(captured: &Captured) -> String {
    let Captured {
        table,
        id,
        registers,
        ..
    } = captured;
    let of: Vec<String> = captured.columns().map(quoted).collect();
    let changed: Vec<String> = registers.iter().map(differs).collect();
    let edits: Vec<String> = registers
        .iter()
        .map(|r| {
            let base = register_text(&r.columns, "OLD.");
            format!(
                "SELECT {} AS register, {base} AS base WHERE {}",
                text(r.name),
                differs(r)
            )
        })
        .collect();
    let stamp = stamp();
    format!(
        "CREATE TRIGGER {name} AFTER UPDATE OF {of} ON {tbl} WHEN {NOT_APPLYING} AND ({changed}) BEGIN
  INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
    SELECT {word}, NEW.{id}, register, base, {stamp}, 1, 0 FROM (
      {edits}) WHERE true
    ON CONFLICT (tbl, row_id, register) DO UPDATE SET edits = edits + 1, edited_at = excluded.edited_at;
  UPDATE {tbl} SET dirty = 1, updated_at = {updated_at} WHERE {id} = NEW.{id};
END",
        name = quoted(&format!("sync_{table}_update")),
        of = of.join(", "),
        tbl = quoted(table),
        changed = changed.join(" OR "),
        word = text(table),
        id = quoted(id),
        edits = edits.join("\n      UNION ALL "),
        updated_at = time_text(&stamp),
    )
}

/// `dirty` says whether something is pending, whatever a program writes into it.
fn on_dirty(captured: &Captured) -> String {
    let Captured { table, id, .. } = captured;
    let pending = format!(
        "EXISTS (SELECT 1 FROM sync_pending WHERE tbl = {} AND row_id = NEW.{})",
        text(table),
        quoted(id)
    );
    format!(
        "CREATE TRIGGER {name} AFTER UPDATE OF dirty ON {tbl} WHEN {NOT_APPLYING} AND NEW.dirty IS NOT {pending} BEGIN
  UPDATE {tbl} SET dirty = {pending} WHERE {id} = NEW.{id};
END",
        name = quoted(&format!("sync_{table}_dirty")),
        tbl = quoted(table),
        id = quoted(id),
    )
}

fn on_delete(captured: &Captured) -> String {
    let Captured { table, id, .. } = captured;
    let live = if captured.deletable() {
        "OLD.deleted_at IS NULL OR "
    } else {
        ""
    };
    format!(
        "CREATE TRIGGER {name} AFTER DELETE ON {tbl} WHEN {NOT_APPLYING} BEGIN
  INSERT INTO sync_deleted (tbl, row_id, remote_id, edited_at)
    SELECT {word}, OLD.{id}, OLD.remote_id, {stamp} WHERE OLD.remote_id IS NOT NULL
      AND ({live}EXISTS (SELECT 1 FROM sync_pending WHERE tbl = {word} AND row_id = OLD.{id}))
    ON CONFLICT (tbl, row_id, remote_id) DO NOTHING;
  DELETE FROM sync_pending WHERE tbl = {word} AND row_id = OLD.{id};
END",
        name = quoted(&format!("sync_{table}_delete")),
        tbl = quoted(table),
        word = text(table),
        id = quoted(id),
        stamp = stamp(),
    )
}

/// Children go with their parent and carry its stamp; an undelete brings back exactly those.
fn on_parent(captured: &Captured, follows: &Follows) -> String {
    let Captured { table, .. } = captured;
    let (tbl, column, parent_id) = (
        quoted(table),
        quoted(follows.column),
        quoted(&follows.parent_id),
    );
    let body = if follows.set_null {
        format!(
            "  UPDATE OR IGNORE {tbl} SET {column} = NULL WHERE {column} = NEW.{parent_id} AND NEW.deleted_at IS NOT NULL;"
        )
    } else {
        format!(
            "  UPDATE {tbl} SET deleted_at = NEW.deleted_at
    WHERE {column} = NEW.{parent_id} AND deleted_at IS NULL AND NEW.deleted_at IS NOT NULL;
  UPDATE OR IGNORE {tbl} SET deleted_at = NULL
    WHERE {column} = NEW.{parent_id} AND NEW.deleted_at IS NULL AND julianday(deleted_at) = julianday(OLD.deleted_at);"
        )
    };
    format!(
        "CREATE TRIGGER {name} AFTER UPDATE OF deleted_at ON {parent}
WHEN {NOT_APPLYING} AND (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL) BEGIN
{body}
END",
        name = quoted(&format!("sync_{table}_{}_follows", follows.column)),
        parent = quoted(&follows.parent),
    )
}

fn differs(register: &CapturedRegister) -> String {
    let parts: Vec<String> = register
        .columns
        .iter()
        .map(|c| format!("OLD.{c} IS NOT NEW.{c} COLLATE BINARY", c = quoted(c)))
        .collect();
    parts.join(" OR ")
}

/// A time column's instant in milliseconds, whatever text form it has.
pub(crate) fn millis_of(column: &str) -> String {
    format!("CAST(round((julianday({column}) - 2440587.5) * 86400000.0) AS INTEGER)")
}

/// Now, but later than the row's last edit: a clock that steps back must not make an edit look older
/// than what it was made on.
fn stamp() -> String {
    let before = millis_of("OLD.updated_at");
    format!("max({NOW}, coalesce({before} + 1, 0))")
}

/// Milliseconds as SeaORM writes a time.
pub(super) fn time_text(millis: &str) -> String {
    format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', ({millis}) / 1000.0, 'unixepoch')")
}
