//! What follows for other rows when a row is deleted or comes back.
//!
//! The triggers do the same for writes of other programs; the engine's own writes pass them by.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement, Value};

use super::{Entry, PushContext, feed};
use crate::{
    bulk::CHUNK,
    clocks::Stamp,
    registry::{OnDelete, Registered, Target},
    rows::placeholders,
    shape::DELETED_AT,
    wire::Millis,
};

/// A row that was deleted or came back; what follows for its children is done at the push's end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(super) table: &'static str,
    pub(super) row_id: i64,
    /// When it was deleted, in milliseconds.
    pub(super) deleted_at: i64,
    /// Whether it came back from that.
    pub(super) undeleted: bool,
    pub(super) stamp: Stamp,
}

/// Deletes the children of deleted rows, brings back those of undeleted ones, and clears references,
/// down to the last descendant. Each row touched gets its place in the feed.
pub(super) async fn follow(
    tx: &DatabaseTransaction,
    cx: &mut PushContext<'_>,
) -> Result<(), DbErr> {
    while !cx.events.is_empty() {
        for events in batches(std::mem::take(&mut cx.events)) {
            let registry = cx.registry;
            for (registered, target) in registry.referring_to(events[0].table) {
                follow_reference(tx, cx, &events, registered, target).await?;
            }
        }
    }
    Ok(())
}

/// Events that one statement can follow: of one table, one kind and one time.
fn batches(mut events: Vec<Event>) -> Vec<Vec<Event>> {
    let like = |e: &Event| (e.table, e.undeleted, e.deleted_at, e.stamp.at());
    events.sort_by_key(like);
    let same = events.chunk_by(|a, b| like(a) == like(b));
    same.flat_map(|group| group.chunks(CHUNK))
        .map(<[Event]>::to_vec)
        .collect()
}

async fn follow_reference(
    tx: &DatabaseTransaction,
    cx: &mut PushContext<'_>,
    events: &[Event],
    child: &Registered,
    target: &Target,
) -> Result<(), DbErr> {
    let Event {
        undeleted,
        deleted_at,
        stamp,
        ..
    } = events[0];
    let (set, condition, at, register) = match (target.on_delete, undeleted) {
        (OnDelete::Cascade, false) => (DELETED_AT, "IS NULL", Some(deleted_at), DELETED_AT),
        (OnDelete::Cascade, true) => (DELETED_AT, "= $1", None, DELETED_AT),
        (OnDelete::SetNull, false) => {
            let register = child
                .shape
                .register_of(target.column)
                .map(|number| child.shape.registers[number].name);
            (
                target.column,
                "IS NULL",
                None,
                register.unwrap_or(target.column),
            )
        }
        _ => return Ok(()),
    };
    let parents: Vec<i64> = events.iter().map(|event| event.row_id).collect();
    let rows = children(tx, child, target.column, condition, deleted_at, &parents).await?;
    for rows in rows.chunks(CHUNK) {
        write(tx, child, set, at, rows).await?;
        enter(tx, cx, child, rows, register, stamp, at).await?;
        if set == DELETED_AT {
            let event = |row: &Child| Event {
                table: child.shape.table,
                row_id: row.id,
                deleted_at,
                undeleted,
                stamp,
            };
            cx.events.extend(rows.iter().map(event));
        }
    }
    Ok(())
}

struct Child {
    id: i64,
    remote_id: String,
    deleted_at: Option<i64>,
}

/// Rows that refer to these, live ones or those deleted at the same time as they were.
async fn children(
    tx: &DatabaseTransaction,
    child: &Registered,
    column: &str,
    condition: &str,
    deleted_at: i64,
    parents: &[i64],
) -> Result<Vec<Child>, DbErr> {
    let (table, id) = (child.shape.table, child.shape.id);
    // Times of other programs may be written in other forms: compared below, as instants.
    let live = if condition == "IS NULL" {
        "IS NULL"
    } else {
        "IS NOT NULL"
    };
    let sql = format!(
        "SELECT CAST(\"{id}\" AS BIGINT) AS id, remote_id, deleted_at FROM \"{table}\"
         WHERE remote_id IS NOT NULL AND deleted_at {live} AND \"{column}\" IN ({})",
        placeholders(1, parents.len())
    );
    let values: Vec<Value> = parents.iter().map(|id| (*id).into()).collect();
    let rows = tx
        .query_all_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    let mut children: Vec<Child> = rows.iter().map(from_row).collect::<Result<_, _>>()?;
    if live == "IS NOT NULL" {
        children.retain(|child| child.deleted_at == Some(deleted_at));
    }
    Ok(children)
}

fn from_row(row: &QueryResult) -> Result<Child, DbErr> {
    let deleted_at: Option<DateTime<Utc>> = row.try_get("", "deleted_at")?;
    Ok(Child {
        id: row.try_get("", "id")?,
        remote_id: row.try_get("", "remote_id")?,
        deleted_at: deleted_at.map(|at| at.timestamp_millis()),
    })
}

async fn write(
    tx: &DatabaseTransaction,
    child: &Registered,
    column: &str,
    at: Option<i64>,
    rows: &[Child],
) -> Result<(), DbErr> {
    let (table, id) = (child.shape.table, child.shape.id);
    let (set, mut values): (&str, Vec<Value>) = match at {
        Some(at) => ("$1", vec![Millis(at).to_utc().into()]),
        None => ("NULL", vec![]),
    };
    let ids = placeholders(values.len() + 1, rows.len());
    let sql = format!("UPDATE \"{table}\" SET \"{column}\" = {set} WHERE \"{id}\" IN ({ids})");
    values.extend(rows.iter().map(|row| Value::from(row.id)));
    tx.execute_raw(Statement::from_sql_and_values(
        tx.get_database_backend(),
        sql,
        values,
    ))
    .await
    .map(|_| ())
}

/// Gives each row its new place in the feed.
async fn enter(
    tx: &DatabaseTransaction,
    cx: &mut PushContext<'_>,
    child: &Registered,
    rows: &[Child],
    register: &str,
    stamp: Stamp,
    at: Option<i64>,
) -> Result<(), DbErr> {
    let table = child.shape.table;
    let names: Vec<&str> = rows.iter().map(|row| row.remote_id.as_str()).collect();
    let mut found = feed::find(tx, cx.account, table, &names).await?;
    let mut entries: Vec<Entry> = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(mut entry) = found.remove(&row.remote_id) else {
            continue;
        };
        let current = entry.clocks.get(register);
        let later = Stamp(stamp.0.max(current.0.saturating_add(1)), stamp.1, stamp.2);
        entry.clocks.set(
            register,
            if stamp.at() > current.at() {
                stamp
            } else {
                later
            },
        );
        if register == DELETED_AT {
            entry.deleted_at = at;
        }
        entry.seq = cx.next_seq();
        entries.push(entry);
    }
    feed::put(tx, cx.account, &entries).await
}
