//! What follows for other rows when a row is deleted or comes back.
//!
//! The triggers do the same for writes of other programs; the engine's own writes pass them by.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement, Value};

use super::{
    Entry, PushContext,
    exclusive::Claim,
    feed,
    revive::{Revived, revive},
};
use crate::{
    bulk::CHUNK,
    clocks::Stamp,
    planted::{Bug, planted},
    registry::{OnDelete, Registered, Target},
    rows::placeholders,
    shape::DELETED_AT,
    wire::Millis,
};

/// A row whose deletion time changed: it was deleted, came back, or was deleted by two devices and now
/// counts as deleted at the other time. What follows for its children is done at the push's end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(super) table: &'static str,
    pub(super) row_id: i64,
    /// When it was deleted before, in milliseconds; none if it was live.
    pub(super) was: Option<i64>,
    /// When it is deleted now; none if it lives.
    pub(super) is: Option<i64>,
    pub(super) stamp: Stamp,
}

/// Children that were deleted when their parent was, and only those, stay deleted when it is: they go
/// with it, come back with it, and keep its deletion time. References to deleted rows are cleared. Down
/// to the last descendant; each row touched gets its place in the feed.
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

/// Events that one statement can follow: of one table, and from one time to one other.
fn batches(mut events: Vec<Event>) -> Vec<Vec<Event>> {
    let like = |e: &Event| (e.table, e.was, e.is, e.stamp);
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
    let Event { was, is, stamp, .. } = events[0];
    let (set, at, register) = match (target.on_delete, was) {
        (OnDelete::Cascade, _) => (DELETED_AT, is, DELETED_AT),
        (OnDelete::SetNull, None) => {
            let register = child
                .shape
                .register_of(target.column)
                .map(|number| child.shape.registers[number].name);
            (target.column, None, register.unwrap_or(target.column))
        }
        _ => return Ok(()),
    };
    if planted(Bug::CascadeSkips(child.shape.table)) {
        return Ok(());
    }
    let parents: Vec<i64> = events.iter().map(|event| event.row_id).collect();
    let rows = children(tx, child, target.column, was, &parents).await?;
    for rows in rows.chunks(CHUNK) {
        let touched: Vec<Revived<'_>> = if set == DELETED_AT && at.is_none() {
            revive(tx, cx, child, rows).await?
        } else {
            write(tx, child, set, at, rows).await?;
            let as_they_are = |row| Revived { row, renamed: None };
            rows.iter().map(as_they_are).collect()
        };
        enter(tx, cx, child, &touched, register, stamp, at).await?;
        if set == DELETED_AT {
            let event = |touched: &Revived<'_>| Event {
                table: child.shape.table,
                row_id: touched.row.id,
                was,
                is,
                stamp,
            };
            cx.events.extend(touched.iter().map(event));
        }
        if set == DELETED_AT && at.is_none() && !child.shape.exclusive.is_empty() {
            let claim = |touched: &Revived<'_>| Claim {
                table: child.shape.table,
                row_id: touched.row.id,
            };
            cx.claims.extend(touched.iter().map(claim));
        }
    }
    Ok(())
}

pub(super) struct Child {
    pub(super) id: i64,
    remote_id: String,
    deleted_at: Option<i64>,
}

/// Rows that refer to these and were deleted when they were: live ones, if they were live.
async fn children(
    tx: &DatabaseTransaction,
    child: &Registered,
    column: &str,
    was: Option<i64>,
    parents: &[i64],
) -> Result<Vec<Child>, DbErr> {
    let (table, id) = (child.shape.table, child.shape.id);
    // Times of other programs may be written in other forms: compared below, as instants.
    let live = if was.is_none() {
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
    children.retain(|child| child.deleted_at == was);
    Ok(children)
}

fn from_row(row: &QueryResult) -> Result<Child, DbErr> {
    // SQLite lets other programs store what is no time. Such a row is not touched: no time equals it.
    let deleted_at: Option<DateTime<Utc>> = row
        .try_get("", "deleted_at")
        .unwrap_or(Some(DateTime::<Utc>::MIN_UTC));
    Ok(Child {
        id: row.try_get("", "id")?,
        remote_id: row.try_get("", "remote_id")?,
        deleted_at: deleted_at.map(|at| at.timestamp_millis()),
    })
}

/// Gives all of these rows one value.
pub(super) async fn write(
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
    rows: &[Revived<'_>],
    register: &str,
    stamp: Stamp,
    at: Option<i64>,
) -> Result<(), DbErr> {
    let table = child.shape.table;
    let names: Vec<&str> = rows.iter().map(|r| r.row.remote_id.as_str()).collect();
    let mut found = feed::find(tx, cx.account, table, &names).await?;
    let mut entries: Vec<Entry> = Vec::with_capacity(rows.len());
    for Revived { row, renamed } in rows {
        let Some(mut entry) = found.remove(&row.remote_id) else {
            continue;
        };
        let current = entry.clocks.get(register);
        let followed = stamp.followed_by(current);
        // A device that deleted the child itself has done so, whatever becomes of the parent's time.
        let own = row.deleted_at.is_some() && at.is_some() && !current.is_followed();
        entry.clocks.set(
            register,
            if own {
                Stamp::new(followed.0, current.1, current.2)
            } else {
                followed
            },
        );
        if register == DELETED_AT {
            entry.deleted_at = at;
        }
        if let Some(renamed) = renamed {
            entry.clocks.overrule(renamed, cx.now_ms);
        }
        entry.seq = cx.next_seq();
        entries.push(entry);
    }
    feed::put(tx, cx.account, &entries).await
}
