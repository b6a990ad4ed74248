//! Children go where their parent goes.

use super::{APPLYING, Trigger, trigger};
use crate::schema::capture::{Captured, Follows, quoted};

pub(super) fn triggers(captured: &Captured) -> Vec<Trigger> {
    let follow = |follows| on_soft_delete(captured, follows);
    captured.follows.iter().map(follow).collect()
}

/// They carry their parent's stamp, and an undelete brings back exactly those that do.
fn on_soft_delete(captured: &Captured, follows: &Follows) -> Trigger {
    let (deleted, undeleted) = if follows.set_null {
        (set_null(captured, follows), "NULL;".to_owned())
    } else {
        (go(captured, follows), come_back(captured, follows))
    };
    let body = format!(
        "IF {APPLYING} OR NEW.deleted_at IS NOT DISTINCT FROM OLD.deleted_at THEN RETURN NULL; END IF;
  IF NEW.deleted_at IS NOT NULL THEN
    {deleted}
  ELSE
    {undeleted}
  END IF;
  RETURN NULL;"
    );
    let name = format!("{}_follows", follows.column);
    let when = "AFTER UPDATE OF deleted_at";
    trigger(captured.table, &name, &body, when, &follows.parent)
}

fn set_null(captured: &Captured, follows: &Follows) -> String {
    format!(
        "UPDATE {tbl} SET {column} = NULL WHERE {column} = NEW.{parent_id};",
        tbl = quoted(captured.table),
        column = quoted(follows.column),
        parent_id = quoted(&follows.parent_id),
    )
}

/// Rows that went with an earlier deletion of the parent go on following it.
fn go(captured: &Captured, follows: &Follows) -> String {
    format!(
        "UPDATE {tbl} SET deleted_at = NEW.deleted_at WHERE {column} = NEW.{parent_id}
      AND (deleted_at IS NULL OR deleted_at = OLD.deleted_at);",
        tbl = quoted(captured.table),
        column = quoted(follows.column),
        parent_id = quoted(&follows.parent_id),
    )
}

/// A row whose key somebody else has by now stays deleted. All at once; one by one, the newest first,
/// where two of them have the same key.
fn come_back(captured: &Captured, follows: &Follows) -> String {
    let (tbl, id) = (quoted(captured.table), quoted(captured.id));
    let (column, parent_id) = (quoted(follows.column), quoted(&follows.parent_id));
    let carry_the_stamp = format!("c.{column} = NEW.{parent_id} AND c.deleted_at = OLD.deleted_at");
    format!(
        "BEGIN
      UPDATE {tbl} c SET deleted_at = NULL WHERE {carry_the_stamp}{free};
    EXCEPTION WHEN unique_violation THEN
      DECLARE child record;
      BEGIN
        FOR child IN SELECT c.{id} AS id FROM {tbl} c WHERE {carry_the_stamp} ORDER BY 1 DESC LOOP
          BEGIN
            UPDATE {tbl} SET deleted_at = NULL WHERE {id} = child.id;
          EXCEPTION WHEN unique_violation THEN NULL;
          END;
        END LOOP;
      END;
    END;",
        free = captured.keys_are_free("c"),
    )
}
