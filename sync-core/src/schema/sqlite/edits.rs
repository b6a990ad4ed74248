//! A row is inserted, edited, deleted.

use super::{
    NOW, Trigger, cursor, forget_rejection, millis_of, register_text, stamp, time_text, trigger,
};
use crate::schema::capture::{Captured, CapturedRegister, quoted, text};

pub(super) fn triggers(captured: &Captured) -> Vec<Trigger> {
    vec![
        on_insert(captured),
        on_update(captured),
        on_dirty(captured),
        on_delete(captured),
    ]
}

fn on_insert(captured: &Captured) -> Trigger {
    let Captured { table, id, .. } = captured;
    let body = format!(
        "  DELETE FROM sync_pending WHERE tbl = {word} AND row_id = NEW.{id};
  INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent, cursor)
    SELECT {word}, NEW.{id}, '*', NULL, {NOW}, 1, 0, {cursor} WHERE true
    ON CONFLICT (tbl, row_id, register) DO UPDATE SET edits = edits + 1;
  UPDATE {tbl} SET dirty = 1, updated_at = {updated_at} WHERE {id} = NEW.{id};",
        tbl = quoted(table),
        word = text(table),
        id = quoted(id),
        cursor = cursor(captured),
        updated_at = time_text(NOW),
    );
    trigger(captured, "insert", "AFTER INSERT", table, &body)
}

fn on_update(captured: &Captured) -> Trigger {
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
    let (stamp, base_at) = (stamp("OLD."), millis_of("OLD.updated_at"));
    let body = format!(
        "  INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent, cursor, base_at)
    SELECT {word}, NEW.{id}, register, base, {stamp}, 1, 0, {cursor}, {base_at} FROM (
      {edits}) WHERE true
    ON CONFLICT (tbl, row_id, register) DO UPDATE SET edits = edits + 1, edited_at = max(edited_at + 1, excluded.edited_at);
  UPDATE {tbl} SET dirty = 1, updated_at = {updated_at} WHERE {id} = NEW.{id};",
        tbl = quoted(table),
        word = text(table),
        id = quoted(id),
        cursor = cursor(captured),
        edits = edits.join("\n      UNION ALL "),
        updated_at = time_text(&stamp),
    );
    let when = format!(
        "AFTER UPDATE OF {} WHEN ({})",
        of.join(", "),
        changed.join(" OR ")
    );
    trigger(captured, "update", &when, table, &body)
}

/// `dirty` says whether something is pending, whatever a program writes into it.
fn on_dirty(captured: &Captured) -> Trigger {
    let Captured { table, id, .. } = captured;
    let (tbl, word, id) = (quoted(table), text(table), quoted(id));
    let pending =
        format!("EXISTS (SELECT 1 FROM sync_pending WHERE tbl = {word} AND row_id = NEW.{id})");
    let body = format!("  UPDATE {tbl} SET dirty = {pending} WHERE {id} = NEW.{id};");
    let when = format!("AFTER UPDATE OF dirty WHEN NEW.dirty IS NOT {pending}");
    trigger(captured, "dirty", &when, table, &body)
}

fn on_delete(captured: &Captured) -> Trigger {
    let Captured { table, id, .. } = captured;
    let live = if captured.deletable() {
        "OLD.deleted_at IS NULL OR "
    } else {
        ""
    };
    let (word, id) = (text(table), quoted(id));
    let body = format!(
        "  INSERT INTO sync_deleted (tbl, row_id, remote_id, edited_at, cursor)
    SELECT {word}, OLD.{id}, OLD.remote_id, {stamp}, {cursor} WHERE OLD.remote_id IS NOT NULL
      AND ({live}EXISTS (SELECT 1 FROM sync_pending WHERE tbl = {word} AND row_id = OLD.{id}))
    ON CONFLICT (tbl, row_id, remote_id) DO NOTHING;
  DELETE FROM sync_pending WHERE tbl = {word} AND row_id = OLD.{id};{rejection}",
        stamp = stamp("OLD."),
        cursor = cursor(captured),
        rejection = forget_rejection(captured, &format!("row_id = OLD.{id}")),
    );
    trigger(captured, "delete", "AFTER DELETE", table, &body)
}

fn differs(register: &CapturedRegister) -> String {
    let parts: Vec<String> = register
        .columns
        .iter()
        .map(|c| format!("OLD.{c} IS NOT NEW.{c} COLLATE BINARY", c = quoted(c)))
        .collect();
    parts.join(" OR ")
}
