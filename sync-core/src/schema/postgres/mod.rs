//! Capture on Postgres: row triggers, one pair of functions a table.
//!
//! A BEFORE trigger sets `dirty` and `updated_at`, so that RETURNING is right. What is pending is
//! recorded AFTER, because a BEFORE INSERT trigger also runs for a row that then conflicts.

mod follow;
pub(super) mod tell;

use super::{
    capture::{Captured, CapturedRegister, quoted, text},
    installed::{Trigger, fingerprint},
};

/// The engine's own writes are not captured. After a transaction that set it, the setting is ''.
const APPLYING: &str = "current_setting('sync.applying', true) = 'on'";

/// The database's clock in milliseconds, or the pinned one.
pub(super) const NOW: &str = "coalesce((SELECT pinned_ms FROM sync_clock), (extract(epoch FROM clock_timestamp()) * 1000)::bigint)";

/// The triggers of a table's capture.
pub(super) fn triggers(captured: &Captured) -> Vec<Trigger> {
    let mut triggers = vec![mark(captured), record(captured)];
    triggers.extend(follow::triggers(captured));
    triggers
}

/// The value of a register's columns as one text that differs when the value does.
pub(crate) fn register_text(columns: &[&str], row: &str) -> String {
    let parts: Vec<String> = columns
        .iter()
        .map(|c| format!("quote_nullable({row}{}::text)", quoted(c)))
        .collect();
    parts.join(" || ',' || ")
}

fn mark(captured: &Captured) -> Trigger {
    let changed: Vec<String> = captured.registers.iter().map(differs).collect();
    // The name that all replicas know the row by is the engine's to give.
    let body = format!(
        "IF {APPLYING} THEN RETURN NEW; END IF;
  IF TG_OP = 'UPDATE' THEN
    NEW.remote_id := coalesce(OLD.remote_id, NEW.remote_id);
  END IF;
  IF TG_OP = 'INSERT' THEN
    NEW.dirty := true;
    NEW.updated_at := to_timestamp({NOW} / 1000.0);
  ELSIF {changed} THEN
    NEW.dirty := true;
    NEW.updated_at := greatest(to_timestamp({NOW} / 1000.0), OLD.updated_at + interval '1 millisecond');
  ELSE
    NEW.dirty := EXISTS (SELECT 1 FROM sync_pending WHERE tbl = {word} AND row_id = OLD.{id});
  END IF;
  RETURN NEW;",
        changed = changed.join(" OR "),
        word = text(captured.table),
        id = quoted(captured.id),
    );
    trigger(
        captured.table,
        "mark",
        &body,
        "BEFORE INSERT OR UPDATE",
        captured.table,
    )
}

fn record(captured: &Captured) -> Trigger {
    let Captured {
        table,
        id,
        registers,
        ..
    } = captured;
    let (word, id) = (text(table), quoted(id));
    let millis = |time: &str| format!("floor(extract(epoch FROM {time}) * 1000)::bigint");
    let edits: String = registers
        .iter()
        .map(|r| {
            format!(
                "  IF {differs} THEN
      INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
        VALUES ({word}, NEW.{id}, {register}, {base}, {at}, 1, 0)
        ON CONFLICT (tbl, row_id, register) DO UPDATE SET edits = sync_pending.edits + 1, edited_at = excluded.edited_at;
    END IF;
  ",
                differs = differs(r),
                register = text(r.name),
                base = register_text(&r.columns, "OLD."),
                at = millis("NEW.updated_at"),
            )
        })
        .collect();
    let body = format!(
        "IF {APPLYING} THEN RETURN NULL; END IF;
  IF TG_OP = 'INSERT' THEN
    DELETE FROM sync_pending WHERE tbl = {word} AND row_id = NEW.{id};
    INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
      VALUES ({word}, NEW.{id}, '*', NULL, {inserted_at}, 1, 0)
      ON CONFLICT (tbl, row_id, register) DO UPDATE SET edits = sync_pending.edits + 1;
  ELSIF TG_OP = 'UPDATE' THEN
    IF NEW.{id} <> OLD.{id} THEN
      {moved}
    END IF;
  {edits}
  ELSE
    IF OLD.remote_id IS NOT NULL AND (OLD.deleted_at IS NULL
        OR EXISTS (SELECT 1 FROM sync_pending WHERE tbl = {word} AND row_id = OLD.{id})) THEN
      INSERT INTO sync_deleted (tbl, row_id, remote_id, edited_at) VALUES ({word}, OLD.{id}, OLD.remote_id, {NOW})
        ON CONFLICT DO NOTHING;
    END IF;
    DELETE FROM sync_pending WHERE tbl = {word} AND row_id = OLD.{id};
  END IF;
  RETURN NULL;",
        inserted_at = millis("NEW.updated_at"),
        moved = moved(captured),
    );
    trigger(
        table,
        "record",
        &body,
        "AFTER INSERT OR UPDATE OR DELETE",
        table,
    )
}

/// What is known of a row follows its id.
fn moved(captured: &Captured) -> String {
    let (word, id) = (text(captured.table), quoted(captured.id));
    let mut moved = format!(
        "DELETE FROM sync_pending WHERE tbl = {word} AND row_id = NEW.{id};
      UPDATE sync_pending SET row_id = NEW.{id} WHERE tbl = {word} AND row_id = OLD.{id};"
    );
    if captured.has_feed {
        moved += &format!(
            "
      UPDATE sync_feed SET row_id = NEW.{id}
        WHERE tbl = {word} AND remote_id = OLD.remote_id AND row_id = OLD.{id};"
        );
    }
    moved
}

/// A function and the trigger that runs it.
fn trigger(table: &str, name: &str, body: &str, when: &str, on: &str) -> Trigger {
    let name = short(format!("sync_{table}_{name}"));
    let function = quoted(&name);
    let source = format!(" BEGIN\n  {body}\nEND ");
    let statements = vec![
        format!(
            "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $sync${source}$sync$"
        ),
        format!("DROP TRIGGER IF EXISTS {function} ON {}", quoted(on)),
        format!(
            "CREATE TRIGGER {function} {when} ON {} FOR EACH ROW EXECUTE FUNCTION {function}()",
            quoted(on)
        ),
    ];
    Trigger {
        name,
        on: on.to_owned(),
        text: format!("{} {source}", kind(when)),
        statements,
    }
}

/// What `pg_trigger.tgtype` says of a row trigger with these words.
fn kind(when: &str) -> u32 {
    let bits = [("BEFORE", 2), ("INSERT", 4), ("DELETE", 8), ("UPDATE", 16)];
    let set = bits.iter().filter(|(word, _)| when.contains(word));
    1 + set.map(|(_, bit)| bit).sum::<u32>()
}

/// Postgres cuts names at 63 bytes, and may so make one name of two.
fn short(name: String) -> String {
    if name.len() <= 63 {
        return name;
    }
    let end = (0..=46).rev().find(|end| name.is_char_boundary(*end));
    format!(
        "{}_{}",
        &name[..end.unwrap_or(0)],
        fingerprint(name.bytes())
    )
}

/// Compared as text, because the type json has no equality.
fn differs(register: &CapturedRegister) -> String {
    let parts: Vec<String> = register
        .columns
        .iter()
        .map(|c| {
            format!(
                "OLD.{c}::text IS DISTINCT FROM NEW.{c}::text",
                c = quoted(c)
            )
        })
        .collect();
    format!("({})", parts.join(" OR "))
}
