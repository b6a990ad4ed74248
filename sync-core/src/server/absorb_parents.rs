//! Rows that somebody wrote in the server's own database under a row that is deleted: as when a device
//! does it, they are deleted with it, and a reference that its deletion clears is cleared.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};

use crate::{
    registry::{OnDelete, Registered, Target},
    rows::placeholders,
    shape::DELETED_AT,
};

/// A row that was changed so, and the register.
pub(super) struct Obeyed {
    pub(super) row_id: i64,
    pub(super) register: &'static str,
}

/// Makes these rows obey their deleted parents.
pub(super) async fn obey(
    tx: &DatabaseTransaction,
    registered: &Registered,
    ids: &[i64],
) -> Result<Vec<Obeyed>, DbErr> {
    let mut obeyed = Vec::new();
    for target in &registered.targets {
        let shape = registered.shape;
        let register = match target.on_delete {
            OnDelete::Cascade => DELETED_AT,
            OnDelete::SetNull => shape
                .register_of(target.column)
                .map_or(target.column, |number| shape.registers[number].name),
            _ => continue,
        };
        let found = under_deleted(tx, registered, target, ids).await?;
        if found.is_empty() {
            continue;
        }
        follow(tx, registered, target, &found).await?;
        let one = |row_id| Obeyed { row_id, register };
        obeyed.extend(found.into_iter().map(one));
    }
    Ok(obeyed)
}

/// Those of the rows that live and refer to a deleted one.
async fn under_deleted(
    tx: &DatabaseTransaction,
    registered: &Registered,
    target: &Target,
    ids: &[i64],
) -> Result<Vec<i64>, DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let sql = format!(
        "SELECT CAST(c.\"{id}\" AS BIGINT) AS id FROM \"{table}\" c JOIN \"{}\" p ON p.\"{}\" = c.\"{}\"
         WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL AND c.\"{id}\" IN ({})",
        target.table,
        target.id,
        target.column,
        placeholders(1, ids.len())
    );
    let rows = tx.query_all_raw(statement(tx, sql, ids)).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

async fn follow(
    tx: &DatabaseTransaction,
    registered: &Registered,
    target: &Target,
    ids: &[i64],
) -> Result<(), DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let (parent, parent_id, column) = (&target.table, &target.id, target.column);
    let set = match target.on_delete {
        OnDelete::SetNull => format!("\"{column}\" = NULL"),
        _ => format!(
            "deleted_at = (SELECT p.deleted_at FROM \"{parent}\" p WHERE p.\"{parent_id}\" = \"{table}\".\"{column}\")"
        ),
    };
    let sql = format!(
        "UPDATE \"{table}\" SET {set} WHERE \"{id}\" IN ({})",
        placeholders(1, ids.len())
    );
    tx.execute_raw(statement(tx, sql, ids)).await.map(|_| ())
}

fn statement(tx: &DatabaseTransaction, sql: String, ids: &[i64]) -> Statement {
    let values = ids.iter().map(|id| Value::from(*id));
    Statement::from_sql_and_values(tx.get_database_backend(), sql, values)
}
