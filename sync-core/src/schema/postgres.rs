//! Capture on Postgres: row triggers, one pair of functions a table.
//!
//! A BEFORE trigger sets `dirty` and `updated_at`, so that RETURNING is right. What is pending is
//! recorded AFTER, because a BEFORE INSERT trigger also runs for a row that then conflicts.

use super::capture::{Captured, CapturedRegister, Follows, quoted, text};

/// The engine's own writes are not captured. After a transaction that set it, the setting is ''.
const APPLYING: &str = "current_setting('sync.applying', true) = 'on'";

/// The database's clock in milliseconds, or the pinned one.
pub(super) const NOW: &str = "coalesce((SELECT pinned_ms FROM sync_clock), (extract(epoch FROM clock_timestamp()) * 1000)::bigint)";

/// The statements that install a table's capture, replacing an earlier one.
pub(super) fn create_triggers(captured: &Captured) -> Vec<String> {
    let mut statements = mark(captured);
    statements.extend(record(captured));
    statements.extend(
        captured
            .follows
            .iter()
            .flat_map(|follows| follow(captured, follows)),
    );
    statements
}

/// The value of a register's columns as one text that differs when the value does.
pub(crate) fn register_text(columns: &[&str], row: &str) -> String {
    let parts: Vec<String> = columns
        .iter()
        .map(|c| format!("quote_nullable({row}{}::text)", quoted(c)))
        .collect();
    parts.join(" || ',' || ")
}

fn mark(captured: &Captured) -> Vec<String> {
    let changed: Vec<String> = captured.registers.iter().map(differs).collect();
    let body = format!(
        "IF {APPLYING} THEN RETURN NEW; END IF;
  IF TG_OP = 'INSERT' THEN
    NEW.dirty := true;
    NEW.updated_at := to_timestamp({NOW} / 1000.0);
  ELSIF {changed} THEN
    NEW.dirty := true;
    NEW.updated_at := greatest(to_timestamp({NOW} / 1000.0), OLD.updated_at + interval '1 millisecond');
  ELSE
    NEW.dirty := EXISTS (SELECT 1 FROM sync_pending WHERE tbl = {word} AND row_id = NEW.{id});
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

fn record(captured: &Captured) -> Vec<String> {
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
    );
    trigger(
        table,
        "record",
        &body,
        "AFTER INSERT OR UPDATE OR DELETE",
        table,
    )
}

/// Children go with their parent and carry its stamp; an undelete brings back exactly those.
fn follow(captured: &Captured, follows: &Follows) -> Vec<String> {
    let (tbl, column, parent_id) = (
        quoted(captured.table),
        quoted(follows.column),
        quoted(&follows.parent_id),
    );
    let deleted = if follows.set_null {
        format!("UPDATE {tbl} SET {column} = NULL WHERE {column} = NEW.{parent_id};")
    } else {
        format!(
            "UPDATE {tbl} SET deleted_at = NEW.deleted_at WHERE {column} = NEW.{parent_id} AND deleted_at IS NULL;"
        )
    };
    let undeleted = if follows.set_null {
        String::new()
    } else {
        format!(
            "UPDATE {tbl} SET deleted_at = NULL WHERE {column} = NEW.{parent_id} AND deleted_at = OLD.deleted_at;"
        )
    };
    let body = format!(
        "IF {APPLYING} THEN RETURN NULL; END IF;
  IF NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN {deleted}
  ELSIF NEW.deleted_at IS NULL AND OLD.deleted_at IS NOT NULL THEN {undeleted}
  END IF;
  RETURN NULL;"
    );
    let name = format!("{}_follows", follows.column);
    trigger(
        captured.table,
        &name,
        &body,
        "AFTER UPDATE OF deleted_at",
        &follows.parent,
    )
}

fn trigger(table: &str, name: &str, body: &str, when: &str, on: &str) -> Vec<String> {
    let function = quoted(&format!("sync_{table}_{name}"));
    vec![
        format!(
            "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $sync$ BEGIN\n  {body}\nEND $sync$"
        ),
        format!("DROP TRIGGER IF EXISTS {function} ON {}", quoted(on)),
        format!(
            "CREATE TRIGGER {function} {when} ON {} FOR EACH ROW EXECUTE FUNCTION {function}()",
            quoted(on)
        ),
    ]
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
