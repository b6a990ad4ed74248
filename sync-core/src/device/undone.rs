//! Edits that went back to the value before them: nothing is left to tell the server.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};

use super::{settle, state::execute};
use crate::{
    bulk::CHUNK,
    rows::placeholders,
    schema::register_text,
    shape::{EVERY_REGISTER, Shape},
};

/// Forgets such edits of the rows in a range of ids, first one excluded, but for registers that are left out.
/// Whether there were any.
pub(super) async fn forget_between(
    tx: &DatabaseTransaction,
    shape: &Shape,
    left_out: &str,
    after: i64,
    last: i64,
) -> Result<bool, DbErr> {
    let values = vec![shape.table.into(), after.into(), last.into()];
    let which = format!("p.row_id > $2 AND p.row_id <= $3{left_out}");
    forget(tx, shape, &which, values).await
}

/// Forgets such edits of these rows. Before a row is brought up to date: later the value before an edit is
/// not the server's any more.
pub(super) async fn forget_of(
    tx: &DatabaseTransaction,
    shape: &Shape,
    rows: &[i64],
) -> Result<(), DbErr> {
    for rows in rows.chunks(CHUNK) {
        let which = format!("p.row_id IN ({})", placeholders(2, rows.len()));
        forget(tx, shape, &which, settle::with_table(shape.table, rows)).await?;
    }
    Ok(())
}

/// The server has another value now than the one before these rows' edits: to go back to that is an edit.
pub(super) async fn keep(
    tx: &DatabaseTransaction,
    shape: &Shape,
    row_id: i64,
) -> Result<(), DbErr> {
    let sql = "UPDATE sync_pending SET base = NULL WHERE tbl = $1 AND row_id = $2";
    execute(tx, sql, vec![shape.table.into(), row_id.into()]).await
}

/// What was ever sent is not forgotten: the answer may have been lost, and the server has what was undone.
async fn forget(
    tx: &DatabaseTransaction,
    shape: &Shape,
    which: &str,
    values: Vec<Value>,
) -> Result<bool, DbErr> {
    let (table, id) = (shape.table, shape.id);
    let now: Vec<String> = shape
        .registers
        .iter()
        .map(|r| format!("WHEN '{}' THEN {}", r.name, register_text(r.columns, "t.")))
        .collect();
    let sql = format!(
        "SELECT p.row_id, p.register FROM sync_pending p JOIN \"{table}\" t ON t.\"{id}\" = p.row_id
         WHERE p.tbl = $1 AND {which} AND p.sent = 0 AND p.register <> '{EVERY_REGISTER}'
           AND p.base = CASE p.register {} END",
        now.join(" ")
    );
    let backend = tx.get_database_backend();
    let undone = tx
        .query_all_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    let mut rows = Vec::with_capacity(undone.len());
    for row in &undone {
        let (row_id, register): (i64, String) =
            (row.try_get("", "row_id")?, row.try_get("", "register")?);
        let sql = "DELETE FROM sync_pending WHERE tbl = $1 AND row_id = $2 AND register = $3";
        execute(tx, sql, vec![table.into(), row_id.into(), register.into()]).await?;
        rows.push(row_id);
    }
    settle::clean_rows(tx, table, id, &rows).await?;
    Ok(!undone.is_empty())
}
