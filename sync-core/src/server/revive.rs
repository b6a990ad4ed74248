//! Rows that come back with their parent. Where one finds its key taken meanwhile, by a live row or by one
//! that came back before it, it gets a suffix if others belong to it, and stays deleted otherwise.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, TransactionTrait, Value};

use super::{
    PushContext,
    cascade::{Child, write},
    taken_key::{SUFFIXES, suffixed},
};
use crate::{db_error::is_taken_key, registry::Registered, shape::DELETED_AT};

/// A row that lives again, and the register that was changed for it.
pub(super) struct Revived<'a> {
    pub(super) row: &'a Child,
    pub(super) renamed: Option<&'static str>,
}

/// Brings rows back, all at once where their keys are free.
pub(super) async fn revive<'a>(
    tx: &DatabaseTransaction,
    cx: &PushContext<'_>,
    child: &Registered,
    rows: &'a [Child],
) -> Result<Vec<Revived<'a>>, DbErr> {
    let as_they_are = |row| Revived { row, renamed: None };
    if undelete(tx, child, rows).await? {
        return Ok(rows.iter().map(as_they_are).collect());
    }
    let mut revived = Vec::with_capacity(rows.len());
    for row in rows {
        if undelete(tx, child, std::slice::from_ref(row)).await? {
            revived.push(as_they_are(row));
        } else if let Some(register) = rename(tx, cx, child, row).await? {
            let renamed = Some(register);
            revived.push(Revived { row, renamed });
        }
    }
    Ok(revived)
}

/// False, and nothing written, if a key is taken.
async fn undelete(
    tx: &DatabaseTransaction,
    child: &Registered,
    rows: &[Child],
) -> Result<bool, DbErr> {
    let point = tx.begin().await?;
    match write(&point, child, DELETED_AT, None, rows).await {
        Ok(()) => point.commit().await.map(|()| true),
        Err(error) if is_taken_key(&error) => point.rollback().await.map(|()| false),
        Err(error) => Err(error),
    }
}

/// Brings a row back under a free name, if it has one and others belong to it: the register of the name.
async fn rename(
    tx: &DatabaseTransaction,
    cx: &PushContext<'_>,
    child: &Registered,
    row: &Child,
) -> Result<Option<&'static str>, DbErr> {
    let shape = child.shape;
    let mut belonging = cx.registry.referring_to(shape.table);
    let Some(column) = child
        .table
        .text_key()
        .filter(|_| belonging.any(|(_, target)| target.parent))
    else {
        return Ok(None);
    };
    let Some(name) = name_of(tx, child, column, row.id).await? else {
        return Ok(None);
    };
    let sql = format!(
        "UPDATE \"{}\" SET \"{column}\" = $1, deleted_at = NULL WHERE \"{}\" = $2",
        shape.table, shape.id
    );
    for number in SUFFIXES {
        let point = tx.begin().await?;
        let values = vec![suffixed(&name, number).into(), row.id.into()];
        match crate::tx::execute(&point, &sql, values).await {
            Ok(()) => {
                point.commit().await?;
                let register = shape.register_of(column);
                return Ok(register.map(|number| shape.registers[number].name));
            }
            Err(error) if is_taken_key(&error) => point.rollback().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

async fn name_of(
    tx: &DatabaseTransaction,
    child: &Registered,
    column: &str,
    id: i64,
) -> Result<Option<String>, DbErr> {
    let sql = format!(
        "SELECT \"{column}\" AS name FROM \"{}\" WHERE \"{}\" = $1",
        child.shape.table, child.shape.id
    );
    let values = [Value::from(id)];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let row = tx.query_one_raw(statement).await?;
    row.map_or(Ok(None), |row| row.try_get("", "name"))
}
