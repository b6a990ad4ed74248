//! What the application's tables let be only once, on SQLite.
//!
//! Its upserts name these columns, so each needs a unique index over all rows, and none over fewer columns.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

use crate::{create_table::widen_unique, rebuild};

/// Columns of a table that no two rows have alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static [&'static str],
}

/// What today's application names in `ON CONFLICT`.
const UPSERTS: [Key; 8] = [
    key("addons", &["manifest_url"]),
    key("profile_addons", &["profile_id", "addon_id"]),
    key("profile_addons", &["settings_profile_id", "addon_id"]),
    key("stream_settings", &["profile_id"]),
    key("appearance_settings", &["settings_profile_id"]),
    key(
        "watch_history",
        &["profile_id", "meta_id", "season", "episode"],
    ),
    key("lists", &["profile_id", "name"]),
    key("list_items", &["list_id", "meta_id"]),
];

const fn key(table: &'static str, columns: &'static [&'static str]) -> Key {
    Key { table, columns }
}

/// A unique index of a table.
struct Index {
    name: String,
    /// Whether CREATE INDEX made it, and no constraint of the table.
    stands_alone: bool,
    is_partial: bool,
    columns: Vec<String>,
}

impl Index {
    fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c.eq_ignore_ascii_case(column))
    }

    /// Over the same columns, whatever their order.
    fn is_of(&self, key: Key) -> bool {
        !self.is_partial
            && self.columns.len() == key.columns.len()
            && key.columns.iter().all(|column| self.has(column))
    }

    /// Over some of them only.
    fn is_narrower_than(&self, key: Key) -> bool {
        let known = |column: &String| key.columns.iter().any(|k| k.eq_ignore_ascii_case(column));
        self.columns.len() < key.columns.len() && self.columns.iter().all(known)
    }
}

/// Whether something lets fewer rows be than `key` does.
pub(crate) async fn is_narrow<C: ConnectionTrait>(db: &C, key: Key) -> Result<bool, DbErr> {
    let indexes = indexes(db, key.table).await?;
    Ok(indexes.iter().any(|index| index.is_narrower_than(key)))
}

/// Makes what is unique over some of `key`'s columns unique over all of them.
pub(crate) async fn widen<C: ConnectionTrait>(db: &C, key: Key) -> Result<(), DbErr> {
    let mut indexes = indexes(db, key.table).await?;
    indexes.retain(|index| index.is_narrower_than(key));
    for index in indexes {
        if index.stands_alone {
            let drop = format!("DROP INDEX {}", quoted(&index.name));
            db.execute_unprepared(&drop).await?;
            continue;
        }
        let sql = rebuild::definition(db, key.table).await?;
        let narrow: Vec<&str> = index.columns.iter().map(String::as_str).collect();
        let widened = widen_unique(&sql, &narrow, key.columns).ok_or_else(|| {
            let columns = narrow.join(", ");
            DbErr::Migration(format!(
                "table {} has a UNIQUE ({columns}) that cannot be changed: no Zentrio database is known that has it in this form",
                key.table
            ))
        })?;
        rebuild::rebuild(db, key.table, &widened).await?;
    }
    Ok(())
}

/// Gives these tables of the application's the unique indexes that its upserts need, unless rows stand in the
/// way: those are merged when they are synced.
pub(crate) async fn complete<C: ConnectionTrait>(db: &C, tables: &[String]) -> Result<(), DbErr> {
    for key in UPSERTS {
        if !tables.iter().any(|table| table == key.table) {
            continue;
        }
        let indexes = indexes(db, key.table).await?;
        if indexes.iter().any(|index| index.is_of(key)) || is_twice(db, key).await? {
            continue;
        }
        let create = format!(
            "CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} ({})",
            quoted(&format!("uq_{}_{}", key.table, key.columns.join("_"))),
            quoted(key.table),
            key.columns.join(", ")
        );
        db.execute_unprepared(&create).await?;
    }
    Ok(())
}

async fn is_twice<C: ConnectionTrait>(db: &C, key: Key) -> Result<bool, DbErr> {
    let set: Vec<String> = key
        .columns
        .iter()
        .map(|column| format!("{column} IS NOT NULL"))
        .collect();
    let sql = format!(
        "SELECT 1 FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1 LIMIT 1",
        quoted(key.table),
        set.join(" AND "),
        key.columns.join(", ")
    );
    Ok(!query(db, &sql).await?.is_empty())
}

async fn indexes<C: ConnectionTrait>(db: &C, table: &str) -> Result<Vec<Index>, DbErr> {
    let list = format!(
        "SELECT name, origin = 'c' AS stands_alone, partial FROM pragma_index_list('{table}') WHERE \"unique\""
    );
    let mut indexes = Vec::new();
    for row in query(db, &list).await? {
        let name: String = row.try_get("", "name")?;
        let sql = "SELECT name FROM pragma_index_info($1) ORDER BY seqno";
        let info = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [name.as_str().into()]);
        let columns = db.query_all_raw(info).await?;
        let columns: Vec<Option<String>> = columns
            .iter()
            .map(|column| column.try_get("", "name"))
            .collect::<Result<_, _>>()?;
        // One over an expression is none that is looked for.
        if let Some(columns) = columns.into_iter().collect() {
            indexes.push(Index {
                name,
                stands_alone: row.try_get("", "stands_alone")?,
                is_partial: row.try_get("", "partial")?,
                columns,
            });
        }
    }
    Ok(indexes)
}

pub(crate) async fn query<C: ConnectionTrait>(
    db: &C,
    sql: &str,
) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql))
        .await
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
