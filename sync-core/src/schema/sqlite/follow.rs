//! Children go where their parent goes.

use super::{Trigger, trigger};
use crate::schema::capture::{Captured, Follows, quoted};

pub(super) fn triggers(captured: &Captured) -> Vec<Trigger> {
    let mut triggers = Vec::new();
    for follows in &captured.follows {
        triggers.push(on_soft_delete(captured, follows));
        if !follows.refuses {
            triggers.push(on_hard_delete(captured, follows));
        }
    }
    triggers
}

/// They carry their parent's stamp, and an undelete brings back exactly those that do.
fn on_soft_delete(captured: &Captured, follows: &Follows) -> Trigger {
    let (tbl, column) = (quoted(captured.table), quoted(follows.column));
    let body = if follows.set_null {
        format!(
            "  UPDATE OR IGNORE {tbl} SET {column} = NULL WHERE {column} = NEW.{} AND NEW.deleted_at IS NOT NULL;",
            quoted(&follows.parent_id)
        )
    } else {
        // Rows that went with an earlier deletion of the parent go on following it.
        let goes = "(c.deleted_at IS NULL OR julianday(c.deleted_at) = julianday(OLD.deleted_at))";
        let comes = format!(
            "julianday(c.deleted_at) = julianday(OLD.deleted_at){}",
            captured.keys_are_free("c")
        );
        format!(
            "  UPDATE {tbl} SET deleted_at = NEW.deleted_at WHERE NEW.deleted_at IS NOT NULL AND {};
  UPDATE OR IGNORE {tbl} SET deleted_at = NULL WHERE NEW.deleted_at IS NULL AND {};",
            below(captured, follows, "NEW", goes),
            below(captured, follows, "NEW", &comes)
        )
    };
    let name = format!("{}_follows", follows.column);
    let when = "AFTER UPDATE OF deleted_at WHEN NEW.deleted_at IS NOT OLD.deleted_at";
    trigger(captured, &name, when, &follows.parent, &body)
}

/// What the foreign key does, for programs that do not enforce it, such as `sqlite3`. Where it is
/// enforced it was there first, and nothing is left to do.
fn on_hard_delete(captured: &Captured, follows: &Follows) -> Trigger {
    let (tbl, column) = (quoted(captured.table), quoted(follows.column));
    let body = if follows.set_null {
        format!(
            "  UPDATE OR IGNORE {tbl} SET {column} = NULL WHERE {column} = OLD.{};",
            quoted(&follows.parent_id)
        )
    } else {
        format!(
            "  DELETE FROM {tbl} WHERE {};",
            below(captured, follows, "OLD", "true")
        )
    };
    let name = format!("{}_goes", follows.column);
    trigger(captured, &name, "AFTER DELETE", &follows.parent, &body)
}

/// The rows below a parent for which the condition on `c` holds. Of a table that refers to itself all
/// the way down, because SQLite fires no trigger from itself.
fn below(captured: &Captured, follows: &Follows, parent: &str, condition: &str) -> String {
    let (tbl, id) = (quoted(captured.table), quoted(captured.id));
    let (column, parent_id) = (quoted(follows.column), quoted(&follows.parent_id));
    let children = format!(
        "SELECT c.{id} FROM {tbl} c WHERE c.{column} = {parent}.{parent_id} AND {condition}"
    );
    if follows.parent != captured.table {
        return format!("{id} IN ({children})");
    }
    format!(
        "{id} IN (WITH RECURSIVE below (id) AS ({children}
      UNION SELECT c.{id} FROM {tbl} c JOIN below ON c.{column} = below.id WHERE {condition})
      SELECT id FROM below)"
    )
}
