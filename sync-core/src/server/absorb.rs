//! Edits made in the server's own database, by a web app, an administrator or SQL, enter the feed.
//!
//! The triggers have recorded them as pending changes; before it answers, the engine gives those of
//! the asking account their place in the feed.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement, Value,
};

use super::{
    Entry, PushContext,
    absorb_parents::{Obeyed, obey},
    cascade::Event,
    exclusive::Claim,
    feed,
};
use crate::{
    bulk::CHUNK,
    clocks::{Clocks, Stamp},
    ids::is_canonical,
    owner,
    planted::{Bug, planted},
    registry::{Registered, Registry},
    rows::placeholders,
    shape::{DELETED_AT, EVERY_REGISTER},
};

/// Puts the account's edits into the feed. The account is locked and the engine is applying.
pub(super) async fn absorb(
    tx: &DatabaseTransaction,
    cx: &mut PushContext<'_>,
) -> Result<(), DbErr> {
    if !anything_pending(tx).await? {
        return Ok(());
    }
    absorb_deleted(tx, cx).await?;
    let registry = cx.registry;
    for registered in registry.tables() {
        loop {
            let pending = pending(tx, cx, registered).await?;
            if pending.is_empty() {
                break;
            }
            absorb_rows(tx, cx, registered, pending).await?;
        }
    }
    Ok(())
}

/// The accounts that own rows of this database, whether they have ever synced or not.
pub(super) async fn owners<C: ConnectionTrait>(
    db: &C,
    registry: &Registry,
) -> Result<BTreeSet<String>, DbErr> {
    let mut owners = BTreeSet::new();
    for registered in registry.tables() {
        let Some(owner) = registered.shape.owner else {
            continue;
        };
        let sql = format!(
            "SELECT DISTINCT CAST(\"{owner}\" AS TEXT) AS owner FROM \"{}\" WHERE \"{owner}\" IS NOT NULL",
            registered.shape.table
        );
        for row in db
            .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
            .await?
        {
            owners.insert(row.try_get("", "owner")?);
        }
    }
    Ok(owners)
}

/// Whether any account has edits waiting: one probe of two tables that are nearly always empty.
pub(super) async fn anything_pending<C: ConnectionTrait>(db: &C) -> Result<bool, DbErr> {
    let sql = "SELECT CASE WHEN EXISTS (SELECT 1 FROM sync_pending) OR EXISTS (SELECT 1 FROM sync_deleted)
               THEN 1 ELSE 0 END AS pending";
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    let pending: i32 = row.map_or(Ok(0), |row| row.try_get("", "pending"))?;
    Ok(pending == 1)
}

/// Whether somebody edited one of these rows after the absorbing that this transaction began with.
pub(super) async fn edited_since(
    tx: &DatabaseTransaction,
    table: &str,
    ids: &[i64],
) -> Result<bool, DbErr> {
    if tx.get_database_backend() == sea_orm::DbBackend::Sqlite {
        return Ok(false);
    }
    for ids in ids.chunks(CHUNK) {
        let sql = format!(
            "SELECT 1 AS one FROM sync_pending WHERE tbl = $1 AND row_id IN ({}) LIMIT 1",
            placeholders(2, ids.len())
        );
        let values: Vec<Value> = std::iter::once(table.into())
            .chain(ids.iter().map(|id| (*id).into()))
            .collect();
        let found = tx
            .query_one_raw(Statement::from_sql_and_values(
                tx.get_database_backend(),
                sql,
                values,
            ))
            .await?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether somebody deleted the row for good after the absorbing that this transaction began with.
pub(super) async fn is_deleted(tx: &DatabaseTransaction, entry: &Entry) -> Result<bool, DbErr> {
    let sql = "SELECT 1 AS one FROM sync_deleted WHERE tbl = $1 AND row_id = $2 AND remote_id = $3";
    let values = [
        entry.table.as_str().into(),
        entry.row_id.into(),
        entry.remote_id.as_str().into(),
    ];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    Ok(tx.query_one_raw(statement).await?.is_some())
}

/// Pending changes of one row: when each register was last edited, and how often.
type Pending = BTreeMap<i64, BTreeMap<String, (i64, i64)>>;

async fn pending(
    tx: &DatabaseTransaction,
    cx: &PushContext<'_>,
    registered: &Registered,
) -> Result<Pending, DbErr> {
    let shape = registered.shape;
    let mine = match planted(Bug::NoAccountFilter(shape.table)) {
        false => owner::owns_row(cx.registry, registered, "sync_pending.row_id"),
        true => "$1 IS NOT NULL".to_owned(),
    };
    let sql = format!(
        "SELECT row_id, register, edited_at, edits FROM sync_pending WHERE tbl = $2 AND {mine} ORDER BY row_id LIMIT 5000",
    );
    let values = [cx.caller.user_id.as_str().into(), shape.table.into()];
    let rows = tx
        .query_all_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    let mut pending = Pending::new();
    for row in rows {
        let edit = (row.try_get("", "edited_at")?, row.try_get("", "edits")?);
        pending
            .entry(row.try_get("", "row_id")?)
            .or_default()
            .insert(row.try_get("", "register")?, edit);
    }
    Ok(pending)
}

/// Any of these rows may have been given a flag that only one row of its scope has.
fn claim_flags(cx: &mut PushContext<'_>, registered: &Registered, ids: &[i64]) {
    if registered.shape.exclusive.is_empty() {
        return;
    }
    let table = registered.shape.table;
    let claims = ids.iter().map(|&row_id| Claim { table, row_id });
    cx.claims.extend(claims);
}

struct Row {
    id: i64,
    remote_id: Option<String>,
    deleted_at: Option<i64>,
}

async fn absorb_rows(
    tx: &DatabaseTransaction,
    cx: &mut PushContext<'_>,
    registered: &Registered,
    pending: Pending,
) -> Result<(), DbErr> {
    let ids: Vec<i64> = pending.keys().copied().collect();
    for ids in ids.chunks(CHUNK) {
        let mut rows = read_rows(tx, registered, ids).await?;
        let obeyed = obey(tx, registered, ids).await?;
        if !obeyed.is_empty() {
            rows = read_rows(tx, registered, ids).await?;
        }
        let known = entries(tx, cx, registered, &rows).await?;
        name_rows(tx, cx, registered, &mut rows, &known).await?;
        let mut changed = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(remote_id) = &row.remote_id else {
                continue;
            };
            let mut edits = Cow::Borrowed(&pending[&row.id]);
            for Obeyed { register, .. } in obeyed.iter().filter(|o| o.row_id == row.id) {
                edits
                    .to_mut()
                    .insert((*register).to_owned(), (cx.now_ms, 0));
            }
            let known = known.get(remote_id);
            changed.push(entry(cx, registered, row, remote_id, known, &edits));
        }
        let deleted = |entry: &&Entry| {
            let of = |o: &Obeyed| o.row_id == entry.row_id && o.register == DELETED_AT;
            obeyed.iter().any(of)
        };
        let events = changed.iter().filter(deleted).map(|entry| Event {
            table: registered.shape.table,
            row_id: entry.row_id,
            was: None,
            is: entry.deleted_at,
            stamp: entry.clocks.get(DELETED_AT),
        });
        cx.events.extend(events);
        feed::put(tx, cx.account, &changed).await?;
        claim_flags(cx, registered, ids);
        settle(tx, registered, ids, &pending).await?;
    }
    Ok(())
}

async fn read_rows(
    tx: &DatabaseTransaction,
    registered: &Registered,
    ids: &[i64],
) -> Result<Vec<Row>, DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    // Whoever edits a row locks it first and what is pending of it then, and so must this.
    let lock = match tx.get_database_backend() {
        DbBackend::Postgres => "FOR NO KEY UPDATE",
        _ => "",
    };
    let sql = format!(
        "SELECT CAST(\"{id}\" AS BIGINT) AS id, remote_id, deleted_at FROM \"{table}\" WHERE \"{id}\" IN ({}) ORDER BY 1 {lock}",
        placeholders(1, ids.len())
    );
    let values: Vec<Value> = ids.iter().map(|id| (*id).into()).collect();
    let rows = tx
        .query_all_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &QueryResult) -> Result<Row, DbErr> {
    // SQLite lets other programs store what is no time. Such a row is left out of pages; here it is live.
    let deleted_at: Option<DateTime<Utc>> = row.try_get("", "deleted_at").unwrap_or_default();
    let deleted_at = deleted_at.map(|at| at.timestamp_millis());
    Ok(Row {
        id: row.try_get("", "id")?,
        remote_id: row.try_get("", "remote_id")?,
        deleted_at,
    })
}

async fn entries(
    tx: &DatabaseTransaction,
    cx: &PushContext<'_>,
    registered: &Registered,
    rows: &[Row],
) -> Result<HashMap<String, Entry>, DbErr> {
    let names: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.remote_id.as_deref())
        .collect();
    feed::find(tx, cx.account, registered.shape.table, &names).await
}

/// Gives a name to rows that have none, or one that is another row's.
async fn name_rows(
    tx: &DatabaseTransaction,
    cx: &PushContext<'_>,
    registered: &Registered,
    rows: &mut [Row],
    known: &HashMap<String, Entry>,
) -> Result<(), DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    for row in rows {
        let name = row.remote_id.as_deref().filter(|name| is_canonical(name));
        let others = name
            .and_then(|name| known.get(name))
            .is_some_and(|entry| entry.row_id != row.id);
        if name.is_some() && !others {
            continue;
        }
        let name = cx.ids.next();
        let sql = format!("UPDATE \"{table}\" SET remote_id = $1 WHERE \"{id}\" = $2");
        let values = [name.as_str().into(), row.id.into()];
        tx.execute_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
        row.remote_id = Some(name);
    }
    Ok(())
}

fn entry(
    cx: &mut PushContext<'_>,
    registered: &Registered,
    row: &Row,
    remote_id: &str,
    known: Option<&Entry>,
    edits: &BTreeMap<String, (i64, i64)>,
) -> Entry {
    // An edit here was made on what is stored here, so it is later than that.
    let stamp = |edited_at: i64, on: Stamp| {
        let at = edited_at.min(cx.now_ms).max(on.at().saturating_add(1));
        Stamp::new(at, 0, at)
    };
    let mut clocks = match (known, edits.get(EVERY_REGISTER)) {
        (Some(entry), _) => entry.clocks.clone(),
        (None, Some(&(edited_at, _))) => {
            let at = edited_at.min(cx.now_ms);
            Clocks::all(Stamp::new(at, 0, at))
        }
        (None, None) => Clocks::default(),
    };
    for register in registered.shape.registers {
        let every = edits.get(EVERY_REGISTER).filter(|_| known.is_some());
        if let Some(&(edited_at, _)) = edits.get(register.name).or(every) {
            clocks.set(register.name, stamp(edited_at, clocks.get(register.name)));
        }
    }
    Entry {
        table: registered.shape.table.to_owned(),
        remote_id: remote_id.to_owned(),
        seq: cx.next_seq(),
        row_id: row.id,
        clocks,
        deleted_at: row.deleted_at,
    }
}

/// Forgets what was absorbed, unless it was edited again meanwhile.
async fn settle(
    tx: &DatabaseTransaction,
    registered: &Registered,
    ids: &[i64],
    pending: &Pending,
) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let (table, id) = (registered.shape.table, registered.shape.id);
    let edits = ids.iter().flat_map(|id| {
        pending[id]
            .iter()
            .map(move |(register, (_, edits))| (*id, register, *edits))
    });
    let edits: Vec<(i64, &String, i64)> = edits.collect();
    for edits in edits.chunks(CHUNK) {
        let one = |n: usize| {
            format!(
                "(row_id = ${} AND register = ${} AND edits = ${})",
                n * 3 + 2,
                n * 3 + 3,
                n * 3 + 4
            )
        };
        let conditions: Vec<String> = (0..edits.len()).map(one).collect();
        let sql = format!(
            "DELETE FROM sync_pending WHERE tbl = $1 AND ({})",
            conditions.join(" OR ")
        );
        let mut values: Vec<Value> = vec![table.into()];
        for (id, register, edits) in edits {
            values.extend([Value::from(*id), register.as_str().into(), (*edits).into()]);
        }
        tx.execute_raw(Statement::from_sql_and_values(backend, sql, values))
            .await?;
    }
    let sql = format!(
        "UPDATE \"{table}\" SET dirty = FALSE WHERE \"{id}\" IN ({}) AND NOT EXISTS
           (SELECT 1 FROM sync_pending WHERE tbl = $1 AND row_id = \"{table}\".\"{id}\")",
        placeholders(2, ids.len())
    );
    let values: Vec<Value> = std::iter::once(table.into())
        .chain(ids.iter().map(|id| (*id).into()))
        .collect();
    tx.execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await
        .map(|_| ())
}

/// Rows of the account that are gone from their tables become tombstones.
async fn absorb_deleted(tx: &DatabaseTransaction, cx: &mut PushContext<'_>) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let sql = "SELECT d.tbl, d.row_id, d.remote_id, d.edited_at FROM sync_deleted d
               JOIN sync_feed f ON f.remote_id = d.remote_id AND f.tbl = d.tbl AND f.account = $1 AND f.row_id = d.row_id
               ORDER BY d.tbl, d.row_id";
    let rows = tx
        .query_all_raw(Statement::from_sql_and_values(
            backend,
            sql,
            [cx.account.into()],
        ))
        .await?;
    for row in rows {
        let (table, remote_id): (String, String) =
            (row.try_get("", "tbl")?, row.try_get("", "remote_id")?);
        let (row_id, edited_at): (i64, i64) =
            (row.try_get("", "row_id")?, row.try_get("", "edited_at")?);
        if let Some(mut entry) = feed::find(tx, cx.account, &table, &[&remote_id])
            .await?
            .remove(&remote_id)
        {
            let at = edited_at
                .min(cx.now_ms)
                .max(entry.clocks.get(DELETED_AT).at().saturating_add(1));
            entry.clocks.set(DELETED_AT, Stamp::new(at, 0, at));
            entry.deleted_at.get_or_insert(at);
            entry.seq = cx.next_seq();
            feed::put(tx, cx.account, &[entry]).await?;
        }
        let sql = "DELETE FROM sync_deleted WHERE tbl = $1 AND row_id = $2 AND remote_id = $3";
        let values = [table.into(), row_id.into(), remote_id.into()];
        tx.execute_raw(Statement::from_sql_and_values(backend, sql, values))
            .await?;
    }
    Ok(())
}
