//! Rows as they are now, without their entity's type: to be compared and shown.

use std::collections::BTreeMap;

use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::{Map, Value};

use crate::{
    shape::{Register, Shape},
    syncable::Syncable,
    table::Table,
    unreadable::Fault,
};

/// Rows of one table, and why others of those asked for cannot be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowsNow {
    pub(crate) rows: Vec<RowNow>,
    pub(crate) unreadable: BTreeMap<i64, Fault>,
}

/// A row as it is now.
#[derive(Clone, Debug)]
pub(crate) struct RowNow {
    pub(crate) row_id: i64,
    pub(crate) remote_id: Option<String>,
    /// When it was deleted, in milliseconds.
    pub(crate) deleted_at: Option<i64>,
    /// When it was last edited as the row itself says, in milliseconds.
    pub(crate) updated_at: Option<i64>,
    /// Its columns as they travel.
    pub(crate) columns: Map<String, Value>,
}

impl<E: Syncable> Table<E> {
    pub(crate) async fn rows_now(
        &self,
        tx: &DatabaseTransaction,
        ids: &[i64],
    ) -> Result<RowsNow, DbErr> {
        let (models, unreadable) = self.load_readable(tx, ids).await?;
        let names = self.names(tx, models.values()).await?;
        let mut rows = Vec::with_capacity(models.len());
        for model in models.into_values() {
            let meta = E::meta(&model);
            let mut row = RowNow {
                row_id: meta.id,
                remote_id: meta.remote_id.map(str::to_owned),
                deleted_at: meta.deleted_at.map(|at| at.0),
                updated_at: meta.updated_at.map(|at| at.0),
                columns: Map::new(),
            };
            row.columns = match serde_json::to_value(E::to_wire(model, &names)) {
                Ok(Value::Object(columns)) => columns,
                Ok(_) => Map::new(),
                Err(error) => return Err(DbErr::Json(error.to_string())),
            };
            rows.push(row);
        }
        rows.sort_by_key(|row| row.row_id);
        let faults = unreadable.into_iter().map(|(id, row)| (id, row.fault));
        Ok(RowsNow {
            rows,
            unreadable: faults.collect(),
        })
    }
}

/// A column's value as far as both ends must agree on it. Of a looked-up row that is its key: what else is
/// known of that row is not synced.
pub(crate) fn agreed<'v>(
    shape: &Shape,
    column: &str,
    columns: &'v Map<String, Value>,
) -> &'v Value {
    let value = columns.get(column).unwrap_or(&Value::Null);
    match shape.lookup_of(column) {
        Some(lookup) => value.get(lookup.key).unwrap_or(&Value::Null),
        None => value,
    }
}

/// Whether two rows agree in a register. Columns that one of them lacks say nothing.
pub(crate) fn agree(
    shape: &Shape,
    register: &Register,
    one: &Map<String, Value>,
    other: &Map<String, Value>,
) -> bool {
    register.columns.iter().all(|column| {
        !one.contains_key(*column)
            || !other.contains_key(*column)
            || agreed(shape, column, one) == agreed(shape, column, other)
    })
}

/// A register's value by column.
pub(crate) fn value_of(register: &Register, columns: &Map<String, Value>) -> Map<String, Value> {
    let there = register
        .columns
        .iter()
        .filter_map(|column| Some(((*column).to_owned(), columns.get(*column)?.clone())));
    there.collect()
}
