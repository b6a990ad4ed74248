//! What is here already of rows that came from the server.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, QueryFilter, Statement, Value,
};

use super::{
    apply::{Local, PendingRegisters},
    state::execute,
    undone,
};
use crate::{
    bulk::CHUNK, db_error::is_unreadable, protocol::PullRow, refs::LocalIds, rows::placeholders,
    syncable::Syncable, table::Table, unreadable::Fault, wire::WireRow,
};

/// Why rows that are here cannot be read, by name: another program wrote what a column's type cannot hold.
pub(super) type Unreadable = HashMap<String, Fault>;

impl<E: Syncable> Table<E> {
    /// The rows that are here already, with what is pending of them.
    pub(super) async fn locals(
        &self,
        tx: &DatabaseTransaction,
        rows: &[PullRow<E::Wire>],
    ) -> Result<(HashMap<String, Local<E::Model>>, Unreadable), DbErr> {
        let (models, unreadable) = self.models(tx, rows).await?;
        let mut locals = HashMap::with_capacity(models.len());
        for model in models {
            let name = E::meta(&model).remote_id.unwrap_or_default().to_owned();
            let pending = PendingRegisters::new();
            locals.insert(name, Local { model, pending });
        }
        let by_id: HashMap<i64, String> = locals
            .iter()
            .map(|(name, local)| (E::meta(&local.model).id, name.clone()))
            .collect();
        let ids: Vec<i64> = by_id.keys().copied().collect();
        let mut waiting = pending(tx, E::SHAPE.table, &ids).await?;
        if !waiting.is_empty() {
            undone::forget_of(tx, &E::SHAPE, &ids).await?;
            waiting = pending(tx, E::SHAPE.table, &ids).await?;
        }
        for (id, register, sent_before) in waiting {
            if let Some(local) = by_id.get(&id).and_then(|name| locals.get_mut(name)) {
                local.pending.insert(register, sent_before);
            }
        }
        Ok((locals, unreadable))
    }

    /// Rows that are here, and why others that are here cannot be read.
    async fn models(
        &self,
        tx: &DatabaseTransaction,
        rows: &[PullRow<E::Wire>],
    ) -> Result<(Vec<E::Model>, Unreadable), DbErr> {
        let (mut models, mut unreadable) = (Vec::new(), Unreadable::new());
        let column = Self::column("remote_id");
        for rows in rows.chunks(CHUNK) {
            let names = rows.iter().map(|row| row.remote_id.as_str());
            match E::find().filter(column.is_in(names.clone())).all(tx).await {
                Ok(found) if found.iter().all(|model| self.beyond(model).is_empty()) => {
                    models.extend(found);
                    continue;
                }
                Ok(_) => {}
                Err(error) if !is_unreadable(&error) => return Err(error),
                Err(_) => {}
            }
            let names: Vec<&str> = names.collect();
            let ids = local_ids(tx, E::SHAPE.table, E::SHAPE.id, &names).await?;
            let wanted: Vec<i64> = ids.values().copied().collect();
            let (found, mut faults) = self.load_readable(tx, &wanted).await?;
            models.extend(found.into_values());
            for (name, id) in ids {
                if let Some(row) = faults.remove(&id) {
                    unreadable.insert(name, row.fault);
                }
            }
        }
        Ok((models, unreadable))
    }

    pub(super) async fn ids_here(
        &self,
        tx: &DatabaseTransaction,
        rows: &[PullRow<E::Wire>],
    ) -> Result<LocalIds, DbErr> {
        let mut ids = LocalIds::default();
        for (number, target) in self.targets.iter().enumerate() {
            let names: BTreeSet<&str> = rows
                .iter()
                .filter_map(|row| row.row.reference(number).as_ref()?.as_deref())
                .collect();
            let names: Vec<&str> = names.into_iter().collect();
            ids.references
                .push(local_ids(tx, &target.table, &target.id, &names).await?);
        }
        let live = rows
            .iter()
            .map(|row| &row.row)
            .filter(|row| row.deleted_at().is_none());
        ids.lookups = self.lookup_ids(tx, live).await?;
        Ok(ids)
    }
}

/// Rows of these that were deleted here for good and whose deletion is still to be pushed.
pub(super) async fn gone_here<W>(
    tx: &DatabaseTransaction,
    table: &str,
    rows: &[PullRow<W>],
) -> Result<HashSet<String>, DbErr> {
    let sql = "SELECT remote_id FROM sync_deleted WHERE tbl = $1";
    let gone = tx
        .query_all_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            [table.into()],
        ))
        .await?;
    if gone.is_empty() || rows.is_empty() {
        return Ok(HashSet::new());
    }
    gone.iter()
        .map(|row| row.try_get("", "remote_id"))
        .collect()
}

/// By row and register: whether another value was sent before the present one.
pub(super) async fn pending(
    tx: &DatabaseTransaction,
    table: &str,
    ids: &[i64],
) -> Result<Vec<(i64, String, bool)>, DbErr> {
    let mut pending = Vec::new();
    for ids in ids.chunks(CHUNK) {
        let sql = format!(
            "SELECT row_id, register, CASE WHEN sent > 0 AND sent < edits THEN 1 ELSE 0 END AS sent_before
             FROM sync_pending WHERE tbl = $1 AND row_id IN ({})",
            placeholders(2, ids.len())
        );
        let values: Vec<Value> = std::iter::once(table.into())
            .chain(ids.iter().map(|id| (*id).into()))
            .collect();
        for row in tx
            .query_all_raw(Statement::from_sql_and_values(
                tx.get_database_backend(),
                sql,
                values,
            ))
            .await?
        {
            let sent_before: i32 = row.try_get("", "sent_before")?;
            pending.push((
                row.try_get("", "row_id")?,
                row.try_get("", "register")?,
                sent_before == 1,
            ));
        }
    }
    Ok(pending)
}

pub(super) async fn drop_pending(
    tx: &DatabaseTransaction,
    table: &str,
    row_id: i64,
    registers: &[String],
) -> Result<(), DbErr> {
    for register in registers {
        let sql = "DELETE FROM sync_pending WHERE tbl = $1 AND row_id = $2 AND register = $3";
        execute(
            tx,
            sql,
            vec![table.into(), row_id.into(), register.as_str().into()],
        )
        .await?;
    }
    Ok(())
}

/// Whether the row with this name was deleted here for good, and the server does not know yet.
pub(super) async fn is_gone(
    tx: &DatabaseTransaction,
    table: &str,
    remote_id: &str,
) -> Result<bool, DbErr> {
    let sql = "SELECT 1 AS one FROM sync_deleted WHERE tbl = $1 AND remote_id = $2";
    let values = [table.into(), remote_id.into()];
    let backend = tx.get_database_backend();
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(row.is_some())
}

/// Remote id to local id, for the rows that are here.
async fn local_ids(
    tx: &DatabaseTransaction,
    table: &str,
    id: &str,
    names: &[&str],
) -> Result<HashMap<String, i64>, DbErr> {
    let mut found = HashMap::with_capacity(names.len());
    for names in names.chunks(CHUNK) {
        let sql = format!(
            "SELECT CAST(\"{id}\" AS BIGINT) AS id, remote_id FROM \"{table}\" WHERE remote_id IN ({})",
            placeholders(1, names.len())
        );
        let values: Vec<Value> = names.iter().map(|name| (*name).into()).collect();
        for row in tx
            .query_all_raw(Statement::from_sql_and_values(
                tx.get_database_backend(),
                sql,
                values,
            ))
            .await?
        {
            found.insert(row.try_get("", "remote_id")?, row.try_get("", "id")?);
        }
    }
    Ok(found)
}
