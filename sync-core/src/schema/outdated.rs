//! A program that is older than the one which synced the database last must leave sync alone: it would move
//! the cursor over what it cannot keep, and take the capture away from columns it does not know.

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::tables;
use crate::{
    registry::{Registered, Registry},
    shape::Shape,
};

/// What a newer program syncs and this one does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outdated {
    /// The table.
    pub(crate) table: String,
    /// The column; none if it is the whole table.
    pub(crate) column: Option<String>,
}

/// The first table or column in the database that was synced and is unknown to this program. What a
/// migration has dropped is not missed, nor what the registry calls retired.
pub(crate) async fn outdated<C: ConnectionTrait>(
    db: &C,
    registry: &Registry,
) -> Result<Option<Outdated>, DbErr> {
    let sql = "SELECT tbl, columns FROM sync_capture ORDER BY tbl";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    for row in db.query_all_raw(statement).await? {
        let (table, columns): (String, String) =
            (row.try_get("", "tbl")?, row.try_get("", "columns")?);
        let Some(registered) = registry.get(&table) else {
            let is_retired = registry.is_retired(&table, None);
            if !is_retired && !tables::columns(db, &table).await?.is_empty() {
                return Ok(Some(Outdated {
                    table,
                    column: None,
                }));
            }
            continue;
        };
        if let Some(column) = unknown_column(db, registry.retired(), registered, &columns).await? {
            return Ok(Some(Outdated {
                table,
                column: Some(column),
            }));
        }
    }
    Ok(None)
}

/// The first of these columns that is still in the table and that its entity does not know.
pub(super) async fn unknown_column<C: ConnectionTrait>(
    db: &C,
    retired: &[Retired],
    registered: &Registered,
    columns: &str,
) -> Result<Option<String>, DbErr> {
    let shape = registered.shape;
    let unknown = unknown(retired, shape, columns);
    if unknown.is_empty() {
        return Ok(None);
    }
    let there = tables::columns(db, shape.table).await?;
    Ok(unknown.into_iter().find(|column| there.contains(column)))
}

fn unknown(retired: &[Retired], shape: &Shape, columns: &str) -> Vec<String> {
    let is_synced = |column: &str| shape.columns().any(|known| known == column);
    let is_retired = |column: &str| retired.iter().any(|r| r.is(shape.table, Some(column)));
    let is_known =
        |column: &str| is_synced(column) || shape.local.contains(&column) || is_retired(column);
    let columns = columns.split(',').filter(|column| !column.is_empty());
    let unknown = columns.filter(|column| !is_known(column));
    unknown.map(str::to_owned).collect()
}

/// A column, or a whole table, that earlier versions of a program synced and this one does not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retired {
    pub(crate) table: &'static str,
    pub(crate) column: Option<&'static str>,
}

impl Retired {
    /// Whether it is this column, or for none the table. With a table its columns are retired.
    pub(crate) fn is(&self, table: &str, column: Option<&str>) -> bool {
        self.table == table && (self.column.is_none() || self.column == column)
    }
}
