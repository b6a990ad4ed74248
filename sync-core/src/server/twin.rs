//! New rows: their ids, and the live row that is the same thing already.

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryFilter,
    QuerySelect, Statement,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    bulk::value_to_i64, db_error::is_unreadable, shape::DELETED_AT, syncable::Syncable,
    table::Table,
};

/// Ids for `n` new rows of a table, so that rows and their feed entries are written without asking back.
pub(super) async fn allocate_ids(
    tx: &DatabaseTransaction,
    table: &str,
    id: &str,
    n: usize,
) -> Result<Vec<i64>, DbErr> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    if n == 0 {
        return Ok(Vec::new());
    }
    let backend = tx.get_database_backend();
    if backend == DbBackend::Postgres {
        let sql =
            "SELECT nextval(pg_get_serial_sequence($1, $2)) AS id FROM generate_series(1, $3)";
        let values = [format!("\"{table}\"").into(), id.into(), n.into()];
        let rows = tx
            .query_all_raw(Statement::from_sql_and_values(backend, sql, values))
            .await?;
        let ids: Vec<Option<i64>> = rows
            .iter()
            .map(|row| row.try_get("", "id"))
            .collect::<Result<_, _>>()?;
        if let Some(ids) = ids.into_iter().collect() {
            return Ok(ids);
        }
    }
    // No sequence: nobody else inserts while this transaction writes.
    let last = last_id(tx, table, id).await?;
    Ok((last + 1..=last + n).collect())
}

async fn last_id(tx: &DatabaseTransaction, table: &str, id: &str) -> Result<i64, DbErr> {
    let backend = tx.get_database_backend();
    let given_out = match backend {
        DbBackend::Sqlite => {
            format!("coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0)")
        }
        _ => "0".to_owned(),
    };
    let greatest = if backend == DbBackend::Sqlite {
        "max"
    } else {
        "greatest"
    };
    let sql = format!(
        "SELECT CAST({greatest}({given_out}, coalesce((SELECT max(\"{id}\") FROM \"{table}\"), 0)) AS BIGINT) AS id"
    );
    let row = tx
        .query_one_raw(Statement::from_string(backend, sql))
        .await?;
    row.map_or(Ok(0), |row| row.try_get("", "id"))
}

/// The live row with the same natural key, if there is one.
pub(crate) async fn find<E: Syncable>(
    tx: &DatabaseTransaction,
    row: &E::ActiveModel,
) -> Result<Option<E::Model>, DbErr> {
    for key in E::SHAPE.natural_keys {
        if let Some(select) = same_key::<E>(row, key) {
            let live = select.filter(Expr::col(Table::<E>::column(DELETED_AT)).is_null());
            match live.one(tx).await {
                Ok(Some(model)) => return Ok(Some(model)),
                // Nothing can be merged into a row that cannot be read.
                Err(error) if !is_unreadable(&error) => return Err(error),
                Ok(None) | Err(_) => {}
            }
        }
    }
    Ok(None)
}

/// The one live row that has no name yet and is like this one, though nothing says that it is the same.
pub(crate) async fn alike<E: Syncable>(
    tx: &DatabaseTransaction,
    row: &E::ActiveModel,
) -> Result<Option<E::Model>, DbErr> {
    if E::SHAPE.alike.is_empty() {
        return Ok(None);
    }
    let columns: Vec<&str> = E::SHAPE
        .alike
        .iter()
        .copied()
        .chain(E::SHAPE.owner)
        .collect();
    let Some(select) = same_key::<E>(row, &columns) else {
        return Ok(None);
    };
    let nameless = select
        .filter(Expr::col(Table::<E>::column(DELETED_AT)).is_null())
        .filter(Expr::col(Table::<E>::column("remote_id")).is_null());
    match nameless.limit(2).all(tx).await {
        Ok(mut rows) if rows.len() == 1 => Ok(rows.pop()),
        Err(error) if !is_unreadable(&error) => Err(error),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// The row with the same natural key that was deleted at this time, as those are that went with one parent.
pub(super) async fn deleted_at<E: Syncable>(
    tx: &DatabaseTransaction,
    row: &E::ActiveModel,
    at: i64,
) -> Result<Option<E::Model>, DbErr> {
    for key in E::SHAPE.natural_keys {
        let Some(select) = same_key::<E>(row, key) else {
            continue;
        };
        let dead = select.filter(Expr::col(Table::<E>::column(DELETED_AT)).is_not_null());
        let dead = match dead.all(tx).await {
            // Nothing can be merged into a row that cannot be read.
            Err(error) if is_unreadable(&error) => continue,
            dead => dead?,
        };
        let then = |model: &E::Model| E::meta(model).deleted_at.is_some_and(|then| then.0 == at);
        if let Some(model) = dead.into_iter().find(then) {
            return Ok(Some(model));
        }
    }
    Ok(None)
}

/// The same for a row that is there: another one.
pub(super) async fn other<E: Syncable>(
    tx: &DatabaseTransaction,
    row: &E::ActiveModel,
) -> Result<Option<E::Model>, DbErr> {
    let own = own_id::<E>(row);
    Ok(find::<E>(tx, row)
        .await?
        .filter(|model| Some(E::meta(model).id) != own))
}

fn own_id<E: Syncable>(row: &E::ActiveModel) -> Option<i64> {
    value_to_i64(&row.get(Table::<E>::id()).into_value()?)
}

/// Removes other rows' tombstones that hold the natural key of `row`; true if there were any.
///
/// Only a table with its own UNIQUE constraint has such: an adopted one. The feed still knows the
/// deleted row; a device that has not pushed the deletion yet keeps it as that of a row that is gone.
pub(crate) async fn make_room<E: Syncable>(
    tx: &DatabaseTransaction,
    row: &E::ActiveModel,
) -> Result<bool, DbErr> {
    let mut removed = false;
    let own = own_id::<E>(row);
    for key in E::SHAPE.natural_keys {
        let Some(select) = same_key::<E>(row, key) else {
            continue;
        };
        let dead = select.filter(Expr::col(Table::<E>::column(DELETED_AT)).is_not_null());
        let dead = match dead.all(tx).await {
            // What cannot be read keeps its key.
            Err(error) if is_unreadable(&error) => continue,
            dead => dead?,
        };
        for model in dead {
            let id = E::meta(&model).id;
            if Some(id) == own {
                continue;
            }
            keep_deletion::<E>(tx, id).await?;
            E::delete_many()
                .filter(Expr::col(Table::<E>::id()).eq(id))
                .exec(tx)
                .await?;
            removed = true;
        }
    }
    Ok(removed)
}

async fn keep_deletion<E: Syncable>(tx: &DatabaseTransaction, id: i64) -> Result<(), DbErr> {
    let (table, key) = (E::SHAPE.table, E::SHAPE.id);
    let sql = format!(
        "INSERT INTO sync_deleted (tbl, row_id, remote_id, edited_at)
         SELECT $1, $2, t.remote_id, max(p.edited_at) FROM \"{table}\" t JOIN sync_pending p ON p.row_id = t.\"{key}\"
         WHERE p.tbl = $1 AND t.\"{key}\" = $2 AND t.remote_id IS NOT NULL GROUP BY t.remote_id
         ON CONFLICT (tbl, row_id, remote_id) DO NOTHING"
    );
    crate::tx::execute(tx, &sql, vec![table.into(), id.into()]).await?;
    let sql = "DELETE FROM sync_pending WHERE tbl = $1 AND row_id = $2";
    crate::tx::execute(tx, sql, vec![table.into(), id.into()]).await
}

/// Rows equal in all columns of a key; none where one of them is NULL.
fn same_key<E: Syncable>(row: &E::ActiveModel, key: &[&str]) -> Option<sea_orm::Select<E>> {
    let mut select = E::find();
    for name in key {
        let column = Table::<E>::column(name);
        let value = row.get(column).into_value()?;
        if value == value.as_null() {
            return None;
        }
        select = select.filter(Expr::col(column).eq(value));
    }
    Some(select)
}
