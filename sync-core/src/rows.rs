//! Bulk statements on an entity's table, the same on both ends.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr,
    IdenStatic, Iterable, QueryFilter, QuerySelect, Statement, TransactionTrait,
    sea_query::OnConflict,
};

use crate::{
    bulk::{CHUNK, rows_per_statement},
    db_error::{is_the_rows, is_unreadable},
    refs::RemoteNames,
    syncable::Syncable,
    table::Table,
    wire::{LookupRow, WireRow},
};

impl<E: Syncable> Table<E> {
    /// The rows with these ids, by id. On Postgres they are locked, so that nobody else's edit slips
    /// in between reading and writing them; SQLite's write transaction has the whole database.
    pub(crate) async fn load(
        &self,
        tx: &DatabaseTransaction,
        ids: &[i64],
        lock: bool,
    ) -> Result<HashMap<i64, E::Model>, DbErr> {
        let mut rows = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(CHUNK) {
            let mut select = E::find().filter(Self::id().is_in(ids.iter().copied()));
            if lock && tx.get_database_backend() == DbBackend::Postgres {
                select = select.lock_exclusive();
            }
            rows.extend(
                select
                    .all(tx)
                    .await?
                    .into_iter()
                    .map(|model| (E::meta(&model).id, model)),
            );
        }
        Ok(rows)
    }

    /// The same where other programs write the table: SQLite lets them store what a column's type cannot
    /// hold, and one such value fails a whole `SELECT`. Then each row is read alone; those that cannot be
    /// read are told in the log, and left out.
    pub(crate) async fn load_or_leave_out(
        &self,
        tx: &DatabaseTransaction,
        ids: &[i64],
        lock: bool,
    ) -> Result<(HashMap<i64, E::Model>, HashSet<i64>), DbErr> {
        match self.load(tx, ids, lock).await {
            Ok(models) => return Ok(self.leave_out_beyond(models)),
            Err(error) if is_unreadable(&error) => {}
            Err(error) => return Err(error),
        }
        let (mut models, mut unreadable) = (HashMap::new(), HashSet::new());
        for &id in ids {
            match self.load(tx, &[id], lock).await {
                Ok(found) => models.extend(found),
                Err(error) if is_unreadable(&error) => {
                    tracing::warn!(%error, table = E::SHAPE.table, id, "a row cannot be read and is left out until it is corrected");
                    unreadable.insert(id);
                }
                Err(error) => return Err(error),
            }
        }
        let (models, beyond) = self.leave_out_beyond(models);
        unreadable.extend(beyond);
        Ok((models, unreadable))
    }

    /// Rows that hold what the wire cannot carry are left out, too.
    fn leave_out_beyond(
        &self,
        mut models: HashMap<i64, E::Model>,
    ) -> (HashMap<i64, E::Model>, HashSet<i64>) {
        let mut left_out = HashSet::new();
        models.retain(|id, model| {
            let beyond = self.beyond(model);
            if !beyond.is_empty() {
                tracing::warn!(
                    columns = beyond.join(", "),
                    table = E::SHAPE.table,
                    id,
                    "a row cannot be sent and is left out until it is corrected"
                );
                left_out.insert(*id);
            }
            beyond.is_empty()
        });
        (models, left_out)
    }

    /// What stands on the wire for every foreign key of these rows.
    pub(crate) async fn names<'m>(
        &self,
        tx: &DatabaseTransaction,
        models: impl Iterator<Item = &'m E::Model> + Clone,
    ) -> Result<RemoteNames, DbErr> {
        let mut names = RemoteNames::default();
        for (number, target) in self.targets.iter().enumerate() {
            let ids = distinct(
                models
                    .clone()
                    .filter_map(|model| E::reference_id(model, number)),
            );
            names
                .references
                .push(remote_ids(tx, &target.table, &target.id, &ids).await?);
        }
        for (number, lookup) in self.lookups.iter().enumerate() {
            let ids = distinct(
                models
                    .clone()
                    .filter_map(|model| E::lookup_id(model, number)),
            );
            names.lookups.push(lookup.rows(tx, &ids).await?);
        }
        Ok(names)
    }

    /// The local ids of every looked-up row, created where missing.
    pub(crate) async fn lookup_ids<'w>(
        &self,
        tx: &DatabaseTransaction,
        wires: impl Iterator<Item = &'w E::Wire> + Clone,
    ) -> Result<Vec<HashMap<String, i64>>, DbErr> {
        let mut ids = Vec::with_capacity(self.lookups.len());
        for (number, lookup) in self.lookups.iter().enumerate() {
            let rows: Vec<&LookupRow> = wires
                .clone()
                .filter_map(|w| w.lookup(number).as_ref()?.as_ref())
                .collect();
            ids.push(if rows.is_empty() {
                HashMap::new()
            } else {
                lookup.ids(tx, &rows).await?
            });
        }
        Ok(ids)
    }

    /// Inserts new rows. Rows that leave different columns to their defaults go in different statements,
    /// because one statement would fill those with NULL.
    pub(crate) async fn insert(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<E::ActiveModel>,
    ) -> Result<(), DbErr> {
        let mut groups: Vec<(Vec<bool>, Vec<E::ActiveModel>)> = Vec::new();
        for row in rows {
            let set: Vec<bool> = E::Column::iter().map(|c| !row.is_not_set(c)).collect();
            match groups.iter_mut().find(|(key, _)| *key == set) {
                Some((_, group)) => group.push(row),
                None => groups.push((set, vec![row])),
            }
        }
        let per_statement = rows_per_statement(E::Column::iter().count());
        for (_, group) in groups {
            for chunk in chunked(group, per_statement) {
                E::insert_many(chunk).exec_without_returning(tx).await?;
            }
        }
        Ok(())
    }

    /// Rewrites rows that are there, by id, as they are in `rows`: every column is set.
    pub(crate) async fn update(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<E::ActiveModel>,
    ) -> Result<(), DbErr> {
        let rewritten = E::Column::iter().filter(|column| column.as_str() != E::SHAPE.id);
        let conflict = OnConflict::column(Self::id())
            .update_columns(rewritten)
            .to_owned();
        for chunk in chunked(rows, rows_per_statement(E::Column::iter().count())) {
            E::insert_many(chunk)
                .on_conflict(conflict.clone())
                .exec_without_returning(tx)
                .await?;
        }
        Ok(())
    }

    /// Runs one of the above for all rows at once; if the database refuses, for each row alone, so that
    /// a row it cannot hold does not keep out the others. Returns the error of each refused row by position.
    ///
    /// What is no row's fault, such as a full disk, is an error of the whole.
    pub(crate) async fn write_each(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<E::ActiveModel>,
        write: Write,
    ) -> Result<Vec<(usize, DbErr)>, DbErr> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let point = tx.begin().await?;
        match self.write(&point, rows.clone(), write).await {
            Ok(()) => point.commit().await.map(|()| Vec::new()),
            Err(error) if is_the_rows(&error) => {
                point.rollback().await?;
                self.write_one_by_one(tx, rows, write).await
            }
            Err(error) => Err(error),
        }
    }

    async fn write_one_by_one(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<E::ActiveModel>,
        write: Write,
    ) -> Result<Vec<(usize, DbErr)>, DbErr> {
        let mut refused = Vec::new();
        for (position, row) in rows.into_iter().enumerate() {
            let point = tx.begin().await?;
            match self.write(&point, vec![row], write).await {
                Ok(()) => point.commit().await?,
                Err(error) if is_the_rows(&error) => {
                    point.rollback().await?;
                    refused.push((position, error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    async fn write(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<E::ActiveModel>,
        write: Write,
    ) -> Result<(), DbErr> {
        match write {
            Write::Insert => self.insert(tx, rows).await,
            Write::Update => self.update(tx, rows).await,
        }
    }
}

/// How rows are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Write {
    /// New rows.
    Insert,
    /// Rows that are there.
    Update,
}

/// Local id to remote id, for the rows of a table that have one.
pub(crate) async fn remote_ids<C: ConnectionTrait>(
    db: &C,
    table: &str,
    id: &str,
    ids: &[i64],
) -> Result<HashMap<i64, String>, DbErr> {
    let mut found = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(CHUNK) {
        let sql = format!(
            "SELECT CAST(\"{id}\" AS BIGINT) AS id, remote_id FROM \"{table}\"
             WHERE remote_id IS NOT NULL AND \"{id}\" IN ({})",
            placeholders(1, ids.len())
        );
        let values = ids
            .iter()
            .map(|id| (*id).into())
            .collect::<Vec<sea_orm::Value>>();
        for row in db
            .query_all_raw(Statement::from_sql_and_values(
                db.get_database_backend(),
                sql,
                values,
            ))
            .await?
        {
            found.insert(row.try_get("", "id")?, row.try_get("", "remote_id")?);
        }
    }
    Ok(found)
}

/// `$from, $from+1, …`, `n` of them.
pub(crate) fn placeholders(from: usize, n: usize) -> String {
    let mut list = String::with_capacity(n * 6);
    for number in from..from + n {
        if number > from {
            list.push(',');
        }
        list.push('$');
        list.push_str(&number.to_string());
    }
    list
}

/// `($from), ($from+1), …`, `n` of them: a list to join with.
pub(crate) fn rows_of(from: usize, n: usize) -> String {
    let rows: Vec<String> = (from..from + n)
        .map(|number| format!("(${number})"))
        .collect();
    rows.join(", ")
}

/// Every value once, in order of appearance.
pub(crate) fn distinct<T: Copy + Eq + std::hash::Hash>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    values.filter(|value| seen.insert(*value)).collect()
}

/// Splits without cloning.
fn chunked<T>(mut rows: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut chunks = Vec::new();
    while rows.len() > size {
        let rest = rows.split_off(size);
        chunks.push(rows);
        rows = rest;
    }
    chunks.push(rows);
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}
