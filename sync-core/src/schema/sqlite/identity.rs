//! A row stays the same row: its name is the engine's to give, and what is known of it follows its id.

use super::{Trigger, trigger};
use crate::schema::capture::{Captured, quoted, text};

pub(super) fn triggers(captured: &Captured) -> Vec<Trigger> {
    vec![on_name(captured), on_id(captured)]
}

/// Puts back the name that all replicas know the row by. The guard keeps the trigger from answering
/// itself where triggers are recursive.
fn on_name(captured: &Captured) -> Trigger {
    let Captured { table, id, .. } = captured;
    let body = format!(
        "  UPDATE sync_guard SET applying = 1;
  UPDATE {} SET remote_id = OLD.remote_id WHERE {id} = NEW.{id};
  UPDATE sync_guard SET applying = 0;",
        quoted(table),
        id = quoted(id)
    );
    let when = "AFTER UPDATE OF remote_id WHEN OLD.remote_id IS NOT NULL AND NEW.remote_id IS NOT OLD.remote_id COLLATE BINARY";
    trigger(captured, "name", when, table, &body)
}

/// What is pending moves along. Some of it may be there already: of this very statement.
fn on_id(captured: &Captured) -> Trigger {
    let Captured { table, id, .. } = captured;
    let (word, id) = (text(table), quoted(id));
    let mut body = format!(
        "  INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent, cursor, base_at)
    SELECT tbl, NEW.{id}, register, base, edited_at, edits, sent, cursor, base_at FROM sync_pending
      WHERE tbl = {word} AND row_id = OLD.{id}
    ON CONFLICT (tbl, row_id, register) DO UPDATE SET
      base = excluded.base, edits = edits + excluded.edits, sent = excluded.sent,
      cursor = excluded.cursor, base_at = excluded.base_at;
  DELETE FROM sync_pending WHERE tbl = {word} AND row_id = OLD.{id};
  UPDATE {tbl} SET dirty = EXISTS (SELECT 1 FROM sync_pending WHERE tbl = {word} AND row_id = NEW.{id})
    WHERE {id} = NEW.{id};",
        tbl = quoted(table),
    );
    if captured.has_rejected {
        body += &format!(
            "
  DELETE FROM sync_rejected WHERE tbl = {word} AND row_id = NEW.{id};
  UPDATE sync_rejected SET row_id = NEW.{id} WHERE tbl = {word} AND row_id = OLD.{id};"
        );
    }
    if captured.has_feed {
        body += &format!(
            "
  UPDATE sync_feed SET row_id = NEW.{id}
    WHERE tbl = {word} AND remote_id = OLD.remote_id AND row_id = OLD.{id};"
        );
    }
    let when = format!("AFTER UPDATE OF {id} WHEN NEW.{id} <> OLD.{id}");
    trigger(captured, "id", &when, table, &body)
}
