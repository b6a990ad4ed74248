//! Makes a table of SQLite anew with another definition, inside a transaction.
//!
//! Nothing of it is lost: values with their storage classes, ids and the next one, indexes, triggers. The rows
//! wait in a table without types meanwhile. Renaming, the usual way, fails where a trigger elsewhere names the
//! table.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use crate::unique::{query, quoted};

const ASIDE: &str = "sync_aside";

/// The statement that made `table`.
pub(crate) async fn definition<C: ConnectionTrait>(db: &C, table: &str) -> Result<String, DbErr> {
    let sql = format!("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{table}'");
    match query(db, &sql).await?.first() {
        Some(row) => row.try_get("", "sql"),
        None => Err(DbErr::Migration(format!("there is no table {table}"))),
    }
}

/// Makes `table` anew by `definition`, which has the same columns.
pub(crate) async fn rebuild<C: ConnectionTrait>(
    db: &C,
    table: &str,
    definition: &str,
) -> Result<(), DbErr> {
    nothing_would_cascade(db, table).await?;
    let name = quoted(table);
    let columns = columns(db, table).await?.join(", ");
    let around = around(db, table).await?;
    let last_id = last_id(db, table).await?;
    // A table that an earlier attempt left would be gone with its transaction.
    run(db, &format!("CREATE TABLE {ASIDE} ({columns})")).await?;
    let n_rows = run(
        db,
        &format!("INSERT INTO {ASIDE} SELECT {columns} FROM {name}"),
    )
    .await?;
    run(db, &format!("DROP TABLE {name}")).await?;
    run(db, definition).await?;
    let back = format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM {ASIDE}");
    if run(db, &back).await? != n_rows {
        return Err(DbErr::Migration(format!("rows of {table} are missing")));
    }
    run(db, &format!("DROP TABLE {ASIDE}")).await?;
    if let Some(last_id) = last_id {
        keep_last_id(db, table, last_id).await?;
    }
    for sql in around {
        run(db, &sql).await?;
    }
    Ok(())
}

/// Dropping a table deletes its rows, and foreign keys of other tables act on that.
async fn nothing_would_cascade<C: ConnectionTrait>(db: &C, table: &str) -> Result<(), DbErr> {
    let sql = format!(
        "SELECT t.name FROM pragma_foreign_keys, sqlite_master t, pragma_foreign_key_list(t.name) f
         WHERE foreign_keys AND t.type = 'table' AND t.name <> '{table}' AND lower(f.\"table\") = '{table}' LIMIT 1"
    );
    match query(db, &sql).await?.first() {
        Some(row) => {
            let other: String = row.try_get("", "name")?;
            Err(DbErr::Migration(format!(
                "table {other} refers to {table}, which has to be made anew: switch foreign keys off before"
            )))
        }
        None => Ok(()),
    }
}

/// The columns that hold something; others are computed.
async fn columns<C: ConnectionTrait>(db: &C, table: &str) -> Result<Vec<String>, DbErr> {
    let sql =
        format!("SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden = 0 ORDER BY cid");
    let rows = query(db, &sql).await?;
    let names = rows.iter().map(|row| row.try_get::<String>("", "name"));
    names.map(|name| Ok(quoted(&name?))).collect()
}

/// What makes the table's indexes and triggers.
async fn around<C: ConnectionTrait>(db: &C, table: &str) -> Result<Vec<String>, DbErr> {
    let sql = format!(
        "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND lower(tbl_name) = '{table}'
         AND sql IS NOT NULL ORDER BY type, rowid"
    );
    let rows = query(db, &sql).await?;
    rows.iter().map(|row| row.try_get("", "sql")).collect()
}

/// The highest id that was ever given, also to a row that is gone.
async fn last_id<C: ConnectionTrait>(db: &C, table: &str) -> Result<Option<i64>, DbErr> {
    if query(
        db,
        "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'",
    )
    .await?
    .is_empty()
    {
        return Ok(None);
    }
    let sql = format!("SELECT seq FROM sqlite_sequence WHERE name = '{table}'");
    let rows = query(db, &sql).await?;
    rows.first().map(|row| row.try_get("", "seq")).transpose()
}

async fn keep_last_id<C: ConnectionTrait>(db: &C, table: &str, last_id: i64) -> Result<(), DbErr> {
    let forget = format!("DELETE FROM sqlite_sequence WHERE name = '{table}'");
    run(db, &forget).await?;
    let values: [Value; 2] = [table.into(), last_id.into()];
    let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Sqlite,
        sql,
        values,
    ))
    .await
    .map(|_| ())
}

async fn run<C: ConnectionTrait>(db: &C, sql: &str) -> Result<u64, DbErr> {
    db.execute_unprepared(sql)
        .await
        .map(|done| done.rows_affected())
}
