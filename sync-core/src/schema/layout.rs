//! What the database has of a table, as far as its capture depends on it.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

use super::tables;

/// A table as it is in the database now, whatever its entity says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(super) columns: Vec<String>,
    /// What may push a row aside under `OR REPLACE`: asked for on SQLite only.
    pub(super) unique: Vec<UniqueKey>,
    /// Foreign key columns that refuse the delete of the row they refer to: asked for on SQLite only.
    pub(super) refusing: Vec<String>,
    /// Whether the framework's table of rejected rows is there: on a device.
    pub(super) has_rejected: bool,
    /// Whether the change feed is there: on a server.
    pub(super) has_feed: bool,
}

/// Columns in which no two rows, or no two live rows, are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UniqueKey {
    pub(super) columns: Vec<String>,
    pub(super) live_only: bool,
}

impl Layout {
    /// Looks at a table.
    pub(super) async fn read<C: ConnectionTrait>(db: &C, table: &str) -> Result<Self, DbErr> {
        let columns = tables::columns(db, table).await?;
        let has_rejected = !tables::columns(db, "sync_rejected").await?.is_empty();
        let has_feed = !tables::columns(db, "sync_feed").await?.is_empty();
        let mut layout = Self {
            columns,
            has_rejected,
            has_feed,
            ..Self::default()
        };
        if db.get_database_backend() == DbBackend::Sqlite {
            layout.unique = unique_keys(db, table).await?;
            layout.refusing = refusing(db, table).await?;
        }
        Ok(layout)
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|there| there == column)
    }
}

/// The unique indexes of plain columns; of partial ones those that [`super::adopt`] makes.
async fn unique_keys<C: ConnectionTrait>(db: &C, table: &str) -> Result<Vec<UniqueKey>, DbErr> {
    let sql = "SELECT l.name AS name, l.partial AS partial, i.name AS col
               FROM pragma_index_list($1) l, pragma_index_info(l.name) i
               WHERE l.\"unique\" = 1 AND l.origin <> 'pk' ORDER BY l.name, i.seqno";
    let live = format!("sync_{table}_");
    let mut keys: Vec<(String, UniqueKey)> = Vec::new();
    let mut unusable: Vec<String> = Vec::new();
    for row in query(db, sql, table).await? {
        let name: String = row.try_get("", "name")?;
        let live_only = row.try_get::<i64>("", "partial")? != 0;
        let column: Option<String> = row.try_get("", "col")?;
        let ours = name.starts_with(&live) && name.ends_with("_live");
        let Some(column) = column.filter(|_| !live_only || ours) else {
            unusable.push(name);
            continue;
        };
        match keys.last_mut().filter(|(last, _)| *last == name) {
            Some((_, key)) => key.columns.push(column),
            None => {
                let columns = vec![column];
                keys.push((name, UniqueKey { columns, live_only }));
            }
        }
    }
    keys.retain(|(name, _)| !unusable.contains(name));
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

async fn refusing<C: ConnectionTrait>(db: &C, table: &str) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT \"from\" AS name FROM pragma_foreign_key_list($1)
               WHERE on_delete IN ('NO ACTION', 'RESTRICT') ORDER BY 1";
    let rows = query(db, sql, table).await?;
    rows.iter().map(|row| row.try_get("", "name")).collect()
}

async fn query<C: ConnectionTrait>(
    db: &C,
    sql: &str,
    table: &str,
) -> Result<Vec<QueryResult>, DbErr> {
    let backend = db.get_database_backend();
    db.query_all_raw(Statement::from_sql_and_values(backend, sql, [table.into()]))
        .await
}
