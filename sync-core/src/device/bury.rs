//! Rows made under a parent whose deletion is so old that the server has forgotten it: they are deleted with
//! it, as they would have been had they come in time.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

use super::{settle, state::execute};
use crate::registry::{OnDelete, Registered, Target};

/// Deletes the row, or clears the reference, if what the server does not know is deleted here as well.
/// Whether that was so.
pub(super) async fn bury(
    tx: &DatabaseTransaction,
    registered: &Registered,
    row_id: i64,
) -> Result<bool, DbErr> {
    let mut done = false;
    for target in &registered.targets {
        if target.on_delete == OnDelete::Nothing
            || !is_buried(tx, registered, target, row_id).await?
        {
            continue;
        }
        if target.on_delete == OnDelete::Cascade {
            delete_with(tx, registered, target, row_id).await?;
            return Ok(true);
        }
        clear(tx, registered, target, row_id).await?;
        done = true;
    }
    Ok(done)
}

/// Whether what the row refers to is deleted, and the server has been told.
async fn is_buried(
    tx: &DatabaseTransaction,
    registered: &Registered,
    target: &Target,
    row_id: i64,
) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT 1 AS one FROM \"{}\" t JOIN \"{parent}\" p ON p.\"{}\" = t.\"{}\"
         WHERE t.\"{}\" = $1 AND p.deleted_at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM sync_pending w WHERE w.tbl = $2 AND w.row_id = p.\"{}\")",
        registered.shape.table,
        target.id,
        target.column,
        registered.shape.id,
        target.id,
        parent = target.table,
    );
    let values = [row_id.into(), target.table.as_str().into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    Ok(tx.query_one_raw(statement).await?.is_some())
}

/// With its parent's time, so that it comes back with it.
async fn delete_with(
    tx: &DatabaseTransaction,
    registered: &Registered,
    target: &Target,
    row_id: i64,
) -> Result<(), DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let sql = format!(
        "UPDATE \"{table}\" SET deleted_at = (SELECT p.deleted_at FROM \"{}\" p WHERE p.\"{}\" = \"{table}\".\"{}\")
         WHERE \"{id}\" = $1 AND deleted_at IS NULL",
        target.table, target.id, target.column
    );
    execute(tx, &sql, vec![row_id.into()]).await?;
    settle::forget(tx, registered, &[row_id]).await
}

async fn clear(
    tx: &DatabaseTransaction,
    registered: &Registered,
    target: &Target,
    row_id: i64,
) -> Result<(), DbErr> {
    let shape = registered.shape;
    let sql = format!(
        "UPDATE \"{}\" SET \"{}\" = NULL WHERE \"{}\" = $1",
        shape.table, target.column, shape.id
    );
    execute(tx, &sql, vec![row_id.into()]).await?;
    let register = shape.register_of(target.column);
    let register = register.map_or(target.column, |number| shape.registers[number].name);
    let sql = "DELETE FROM sync_pending WHERE tbl = $1 AND row_id = $2 AND register = $3";
    execute(
        tx,
        sql,
        vec![shape.table.into(), row_id.into(), register.into()],
    )
    .await?;
    settle::clear_rejected(tx, shape.table, &[row_id]).await?;
    settle::clean(tx, registered, &[row_id]).await
}

/// The same for all rows that refer to rows of which `gone` holds.
pub(super) async fn bury_all(
    tx: &DatabaseTransaction,
    child: &Registered,
    target: &Target,
    gone: &str,
) -> Result<(), DbErr> {
    let (table, column) = (child.shape.table, target.column);
    let (parent, id) = (&target.table, &target.id);
    let dead = format!(
        "\"{column}\" IN (SELECT \"{id}\" FROM \"{parent}\" WHERE deleted_at IS NOT NULL AND {gone})"
    );
    let sql = match target.on_delete {
        OnDelete::Nothing => return Ok(()),
        OnDelete::SetNull => format!("UPDATE \"{table}\" SET \"{column}\" = NULL WHERE {dead}"),
        OnDelete::Cascade => format!(
            "UPDATE \"{table}\" SET deleted_at =
               (SELECT p.deleted_at FROM \"{parent}\" p WHERE p.\"{id}\" = \"{table}\".\"{column}\")
             WHERE deleted_at IS NULL AND {dead}"
        ),
    };
    execute(tx, &sql, vec![]).await
}
