//! `OR REPLACE` pushes rows aside, and SQLite fires no delete trigger for them unless triggers are
//! recursive.
//!
//! Before the write, rows that are in its way are noted; after it, those of them that are gone were
//! replaced. A write that is refused, ignored or turned into an update gets to no such after, or finds
//! the rows still there; the next write of the table clears what it left.

use super::{Trigger, cursor, forget_rejection, stamp, trigger};
use crate::schema::{
    capture::{Captured, quoted, text},
    layout::UniqueKey,
};

pub(super) fn triggers(captured: &Captured) -> Vec<Trigger> {
    vec![
        before_insert(captured),
        after_insert(captured),
        before_update(captured),
        after_update(captured),
    ]
}

fn before_insert(captured: &Captured) -> Trigger {
    let in_the_way = in_the_way(captured, "");
    let when = format!(
        "BEFORE INSERT WHEN ({} OR {})",
        noted(captured),
        exist(&in_the_way)
    );
    let body = note(captured, &in_the_way);
    trigger(captured, "replacing", &when, captured.table, &body)
}

/// What was replaced under the same id, or the same key, is the same row: the new one has its name.
fn after_insert(captured: &Captured) -> Trigger {
    let (tbl, word, id) = (
        quoted(captured.table),
        text(captured.table),
        quoted(captured.id),
    );
    let gone = gone(captured);
    let own_name = format!("(SELECT remote_id FROM {tbl} WHERE {id} = NEW.{id})");
    // Guarded, because the triggers on updates clear what is noted.
    let body = format!(
        "  UPDATE sync_guard SET applying = 1;
  UPDATE {tbl} SET remote_id = (SELECT remote_id FROM sync_replaced WHERE tbl = {word}
      AND remote_id IS NOT NULL AND {gone} ORDER BY row_id <> NEW.{id}, row_id LIMIT 1)
    WHERE {id} = NEW.{id} AND remote_id IS NULL;
  UPDATE sync_guard SET applying = 0;
  DELETE FROM sync_deleted WHERE tbl = {word} AND remote_id = {own_name}
    AND row_id IN (SELECT row_id FROM sync_replaced WHERE tbl = {word} AND {gone});
{}",
        bury(captured, &format!("{gone} AND remote_id IS NOT {own_name}"))
    );
    let when = format!("AFTER INSERT WHEN {}", noted(captured));
    trigger(captured, "replaced", &when, captured.table, &body)
}

fn before_update(captured: &Captured) -> Trigger {
    let id = quoted(captured.id);
    let in_the_way = in_the_way(captured, &format!(" AND {id} <> OLD.{id}"));
    let changed: Vec<String> = key_columns(captured)
        .iter()
        .map(|column| format!("NEW.{column} IS NOT OLD.{column}"))
        .collect();
    let when = format!(
        "BEFORE UPDATE OF {} WHEN ({} OR (({}) AND {}))",
        key_columns(captured).join(", "),
        noted(captured),
        changed.join(" OR "),
        exist(&in_the_way)
    );
    let body = note(captured, &in_the_way);
    trigger(captured, "pushing_aside", &when, captured.table, &body)
}

fn after_update(captured: &Captured) -> Trigger {
    let when = format!(
        "AFTER UPDATE OF {} WHEN {}",
        key_columns(captured).join(", "),
        noted(captured)
    );
    let body = bury(captured, &gone(captured));
    trigger(captured, "pushed_aside", &when, captured.table, &body)
}

/// The queries of rows that a written row would be in conflict with, one for each key.
fn in_the_way(captured: &Captured, except: &str) -> Vec<String> {
    let tbl = quoted(captured.table);
    let query = |condition: String| format!("FROM {tbl} WHERE {condition}{except}");
    let by_id = format!("{id} = NEW.{id}", id = quoted(captured.id));
    let keys = captured.unique.iter().map(same);
    std::iter::once(by_id).chain(keys).map(query).collect()
}

fn same(key: &UniqueKey) -> String {
    let mut parts: Vec<String> = key
        .columns
        .iter()
        .map(|column| format!("{column} = NEW.{column}", column = quoted(column)))
        .collect();
    if key.live_only {
        parts.push("deleted_at IS NULL AND NEW.deleted_at IS NULL".to_owned());
    }
    parts.join(" AND ")
}

/// Every column whose change can push a row aside.
fn key_columns(captured: &Captured) -> Vec<String> {
    let mut columns = vec![quoted(captured.id)];
    for key in &captured.unique {
        let deletion = key.live_only.then(|| quoted("deleted_at"));
        columns.extend(
            key.columns
                .iter()
                .map(|column| quoted(column))
                .chain(deletion),
        );
    }
    columns.sort();
    columns.dedup();
    columns
}

fn exist(queries: &[String]) -> String {
    let each: Vec<String> = queries
        .iter()
        .map(|query| format!("EXISTS (SELECT 1 {query})"))
        .collect();
    format!("({})", each.join(" OR "))
}

fn noted(captured: &Captured) -> String {
    format!(
        "EXISTS (SELECT 1 FROM sync_replaced WHERE tbl = {})",
        text(captured.table)
    )
}

fn note(captured: &Captured, queries: &[String]) -> String {
    let (word, id) = (text(captured.table), quoted(captured.id));
    let stamp = stamp("");
    let each: Vec<String> = queries
        .iter()
        .map(|query| format!("SELECT {id} AS row_id, remote_id, {stamp} AS edited_at {query}"))
        .collect();
    format!(
        "  DELETE FROM sync_replaced WHERE tbl = {word};
  INSERT INTO sync_replaced (tbl, row_id, remote_id, edited_at)
    SELECT {word}, row_id, remote_id, edited_at FROM (
      {}) WHERE true
    ON CONFLICT (tbl, row_id) DO NOTHING;",
        each.join("\n      UNION ")
    )
}

/// Of the rows noted: those that are not there any more, or whose id the written row has now.
fn gone(captured: &Captured) -> String {
    format!(
        "(row_id = NEW.{id} OR NOT EXISTS (SELECT 1 FROM {tbl} t WHERE t.{id} = sync_replaced.row_id))",
        tbl = quoted(captured.table),
        id = quoted(captured.id)
    )
}

/// Does for replaced rows what the delete trigger does for deleted ones.
fn bury(captured: &Captured, condition: &str) -> String {
    let (word, id) = (text(captured.table), quoted(captured.id));
    let others = format!(
        "row_id <> NEW.{id} AND row_id IN (SELECT row_id FROM sync_replaced WHERE tbl = {word} AND {})",
        gone(captured)
    );
    format!(
        "  INSERT INTO sync_deleted (tbl, row_id, remote_id, edited_at, cursor)
    SELECT tbl, row_id, remote_id, edited_at, {cursor} FROM sync_replaced
      WHERE tbl = {word} AND remote_id IS NOT NULL AND {condition}
    ON CONFLICT (tbl, row_id, remote_id) DO NOTHING;
  DELETE FROM sync_pending WHERE tbl = {word} AND {others};{}
  DELETE FROM sync_replaced WHERE tbl = {word};",
        forget_rejection(captured, &others),
        cursor = cursor(captured),
    )
}
