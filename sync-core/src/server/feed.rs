//! The change feed: per account, the latest change of each row, in the order of the changes.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, sea_query};

use crate::{
    bulk::CHUNK,
    clocks::Clocks,
    planted::{Bug, planted},
    rows::{placeholders, rows_of},
    shape::DELETED_AT,
};

/// A row's entry in the feed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The table.
    pub(crate) table: String,
    /// The name devices know the row by.
    pub(crate) remote_id: String,
    /// The row's position. No two entries of an account have the same.
    pub(crate) seq: i64,
    /// The row's primary key here.
    pub(crate) row_id: i64,
    /// When each register was last edited.
    pub(crate) clocks: Clocks,
    /// When the row was deleted, in milliseconds; set also where the row itself is gone.
    pub(crate) deleted_at: Option<i64>,
}

const COLUMNS: &str = "tbl, remote_id, seq, row_id, clocks, deleted_at";

/// The entries of these rows, by name.
pub(crate) async fn find<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    table: &str,
    remote_ids: &[&str],
) -> Result<HashMap<String, Entry>, DbErr> {
    let mut found = HashMap::with_capacity(remote_ids.len());
    for names in remote_ids.chunks(CHUNK) {
        let condition = "account = $1 AND tbl = $2 AND remote_id";
        let sql = by_name(tx, "sync_feed", COLUMNS, condition, names.len());
        let values = [account.into(), table.into()]
            .into_iter()
            .chain(names.iter().map(|name| (*name).into()));
        for entry in select(tx, sql, values.collect()).await? {
            found.insert(entry.remote_id.clone(), entry);
        }
    }
    Ok(found)
}

/// A query for rows by their names, which are the parameters from the third on.
///
/// Each is looked up for itself: of a table it has not analysed yet Postgres believes that a list of names
/// stands for nearly all of it, and reads it whole.
fn by_name<C: ConnectionTrait>(
    db: &C,
    table: &str,
    columns: &str,
    condition: &str,
    n_names: usize,
) -> String {
    match db.get_database_backend() {
        DbBackend::Postgres => format!(
            "SELECT found.* FROM (VALUES {}) AS named (name) CROSS JOIN LATERAL
               (SELECT {columns} FROM {table} WHERE {condition} = name LIMIT 1) AS found",
            rows_of(3, n_names)
        ),
        _ => format!(
            "SELECT {columns} FROM {table} WHERE {condition} IN ({})",
            placeholders(3, n_names)
        ),
    }
}

/// The entries behind a position, in order, of all tables or only of these.
pub(crate) async fn after<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    seq: i64,
    limit: u32,
    only: Option<&[String]>,
) -> Result<Vec<Entry>, DbErr> {
    let tables = only.unwrap_or_default();
    let of_tables = match only {
        None => String::new(),
        Some([]) => " AND 1 = 0".to_owned(),
        Some(tables) => format!(" AND tbl IN ({})", placeholders(3, tables.len())),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM sync_feed WHERE account = $1 AND seq > $2{of_tables} ORDER BY seq LIMIT {limit}"
    );
    let values = [account.into(), seq.into()].into_iter();
    let values = values.chain(tables.iter().map(|table| table.as_str().into()));
    select(tx, sql, values.collect()).await
}

/// The entries of deleted rows behind a position, up to and including another, in order.
pub(super) async fn tombstones<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    seq: i64,
    up_to: i64,
    limit: u32,
) -> Result<Vec<Entry>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sync_feed WHERE account = $1 AND seq > $2 AND seq <= $3
           AND deleted_at IS NOT NULL ORDER BY seq LIMIT {limit}"
    );
    select(tx, sql, vec![account.into(), seq.into(), up_to.into()]).await
}

/// Writes entries, new and changed, each at its new position.
pub(crate) async fn put<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    entries: &[Entry],
) -> Result<(), DbErr> {
    use sea_query::{Alias, Expr, OnConflict, Query};
    let column = Alias::new;
    let conflict = OnConflict::columns(["remote_id", "tbl", "account"].map(column))
        .update_columns(["seq", "row_id", "clocks", "deleted_at"].map(column))
        .to_owned();
    for entries in entries.chunks(CHUNK) {
        let mut insert = Query::insert();
        insert.into_table(column("sync_feed"));
        insert.columns(
            [
                "remote_id",
                "tbl",
                "account",
                "seq",
                "row_id",
                "clocks",
                "deleted_at",
            ]
            .map(column),
        );
        for entry in entries {
            insert.values_panic([
                Expr::val(entry.remote_id.as_str()),
                Expr::val(entry.table.as_str()),
                Expr::val(account),
                Expr::val(entry.seq),
                Expr::val(entry.row_id),
                Expr::val(clocks_text(&entry.clocks.placed(entry.seq))?),
                Expr::val(entry.deleted_at),
            ]);
        }
        insert.on_conflict(conflict.clone());
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Where a late push by a losing name leads.
pub(crate) async fn aliases<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    table: &str,
    names: &[&str],
) -> Result<HashMap<String, String>, DbErr> {
    let mut found = HashMap::new();
    if planted(Bug::AliasNotFollowed) {
        return Ok(found);
    }
    for names in names.chunks(CHUNK) {
        let condition = "account = $1 AND tbl = $2 AND alias";
        let sql = by_name(tx, "sync_alias", "alias, remote_id", condition, names.len());
        let values = [account.into(), table.into()]
            .into_iter()
            .chain(names.iter().map(|name| (*name).into()));
        let values: Vec<sea_orm::Value> = values.collect();
        for row in tx
            .query_all_raw(Statement::from_sql_and_values(
                tx.get_database_backend(),
                sql,
                values,
            ))
            .await?
        {
            found.insert(row.try_get("", "alias")?, row.try_get("", "remote_id")?);
        }
    }
    Ok(found)
}

/// The names that lead to a row besides its own.
pub(super) async fn aliases_of<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    table: &str,
    remote_id: &str,
) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT alias FROM sync_alias WHERE account = $1 AND tbl = $2 AND remote_id = $3 ORDER BY alias";
    let values = [account.into(), table.into(), remote_id.into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let rows = tx.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get("", "alias")).collect()
}

/// Makes `alias` another name of the row `remote_id`, and of everything that led to `alias` before.
pub(crate) async fn add_alias<C: ConnectionTrait>(
    tx: &C,
    account: i64,
    table: &str,
    alias: &str,
    remote_id: &str,
) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let values = || [remote_id.into(), account.into(), table.into(), alias.into()];
    let follow =
        "UPDATE sync_alias SET remote_id = $1 WHERE account = $2 AND tbl = $3 AND remote_id = $4";
    tx.execute_raw(Statement::from_sql_and_values(backend, follow, values()))
        .await?;
    let insert = "INSERT INTO sync_alias (remote_id, account, tbl, alias) VALUES ($1, $2, $3, $4)
                  ON CONFLICT (account, tbl, alias) DO UPDATE SET remote_id = excluded.remote_id";
    tx.execute_raw(Statement::from_sql_and_values(backend, insert, values()))
        .await
        .map(|_| ())
}

impl Entry {
    /// When the row was deleted, by its own register.
    pub(crate) fn deletion_stamp(&self) -> crate::clocks::Stamp {
        self.clocks.get(DELETED_AT)
    }
}

async fn select<C: ConnectionTrait>(
    tx: &C,
    sql: String,
    values: Vec<sea_orm::Value>,
) -> Result<Vec<Entry>, DbErr> {
    let rows = tx
        .query_all_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &QueryResult) -> Result<Entry, DbErr> {
    let clocks: String = row.try_get("", "clocks")?;
    Ok(Entry {
        table: row.try_get("", "tbl")?,
        remote_id: row.try_get("", "remote_id")?,
        seq: row.try_get("", "seq")?,
        row_id: row.try_get("", "row_id")?,
        clocks: serde_json::from_str(&clocks)
            .map_err(|e| DbErr::Json(format!("sync_feed.clocks: {e}")))?,
        deleted_at: row.try_get("", "deleted_at")?,
    })
}

fn clocks_text(clocks: &Clocks) -> Result<String, DbErr> {
    serde_json::to_string(clocks).map_err(|e| DbErr::Json(e.to_string()))
}
