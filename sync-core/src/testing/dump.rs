//! All rows of the eight tables at once, in a form that is the same on every replica.

use std::collections::HashMap;

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement};

use super::tables::{Column, Kind, TABLES, Table};

/// One row. Values are texts, times in milliseconds; NULL is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) table: &'static Table,
    pub(crate) id: i64,
    pub(crate) remote_id: Option<String>,
    /// `user_id` of a root row.
    pub(crate) owner: Option<String>,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) updated_at: Option<i64>,
    pub(crate) dirty: bool,
    /// By column number; a foreign key as the id in this database.
    pub(crate) values: Vec<Option<String>>,
    /// By column number: what a foreign key refers to, by its name everywhere.
    pub(crate) names: Vec<Option<String>>,
}

/// All rows of a database, parents first, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dump {
    pub(crate) rows: Vec<Row>,
}

impl Row {
    pub(crate) fn table_name(&self) -> &'static str {
        self.table.name
    }

    pub(crate) fn live(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// The value of a column; `None` also where it is NULL.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        self.values[self.table.number(column)?].as_deref()
    }

    /// The value that is the same on every replica.
    pub(crate) fn shared(&self, number: usize) -> &Option<String> {
        match self.table.columns[number].kind {
            Kind::Key(_) => &self.names[number],
            _ => &self.values[number],
        }
    }

    /// The ids of its parents that are set.
    pub(crate) fn parents(&self) -> impl Iterator<Item = (&'static str, i64)> + '_ {
        let set = |(number, table): (usize, _)| {
            Some((table, self.values[number].as_ref()?.parse().ok()?))
        };
        self.table.parents().filter_map(set)
    }

    pub(crate) fn label(&self) -> String {
        let name = self.remote_id.as_deref().unwrap_or("-");
        format!("{} {} ({name})", self.table.name, self.id)
    }
}

impl Dump {
    pub(crate) fn of<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.table.name == table)
    }

    pub(crate) fn find(&self, table: &str, id: i64) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.table.name == table && row.id == id)
    }

    /// Only what belongs to this account.
    pub(crate) fn owned_by(self, user: &str) -> Self {
        let mut owners: HashMap<(&str, i64), String> = HashMap::new();
        for row in &self.rows {
            let parent = || {
                row.parents()
                    .find_map(|parent| owners.get(&parent).cloned())
            };
            if let Some(owner) = row.owner.clone().or_else(parent) {
                owners.insert((row.table.name, row.id), owner);
            }
        }
        let mine = |row: &Row| {
            owners
                .get(&(row.table.name, row.id))
                .is_some_and(|o| o == user)
        };
        Self {
            rows: self.rows.into_iter().filter(mine).collect(),
        }
    }
}

/// Reads everything with one statement.
pub(crate) async fn dump(db: &DatabaseConnection) -> Result<Dump> {
    let backend = db.get_database_backend();
    let selects: Vec<String> = TABLES
        .iter()
        .enumerate()
        .map(|(n, table)| select(n, table, backend))
        .collect();
    let sql = format!("{} ORDER BY 1, 2", selects.join(" UNION ALL "));
    let rows = db
        .query_all_raw(Statement::from_string(backend, sql))
        .await?;
    Ok(Dump {
        rows: rows.iter().map(row).collect::<Result<_>>()?,
    })
}

fn select(number: usize, table: &Table, backend: DbBackend) -> String {
    let owner = if table.root { "t.user_id" } else { "NULL" };
    let values: Vec<String> = table.columns.iter().map(|c| value(c, backend)).collect();
    let names: Vec<String> = table.columns.iter().map(name).collect();
    let array = |parts: &[String]| match backend {
        DbBackend::Sqlite => format!("json_array({})", parts.join(", ")),
        _ => format!("json_build_array({})::text", parts.join(", ")),
    };
    format!(
        "SELECT CAST({number} AS BIGINT) AS tbl, CAST(t.id AS BIGINT) AS id, t.remote_id, {owner} AS owner,
           {deleted_at} AS deleted_at, {updated_at} AS updated_at,
           CASE WHEN t.dirty THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS dirty,
           {} AS vals, {} AS names FROM {} t",
        array(&values),
        array(&names),
        table.name,
        deleted_at = millis("t.deleted_at", backend),
        updated_at = millis("t.updated_at", backend),
    )
}

fn millis(column: &str, backend: DbBackend) -> String {
    match backend {
        DbBackend::Sqlite => {
            format!("CAST(round((julianday({column}) - 2440587.5) * 86400000.0) AS INTEGER)")
        }
        _ => format!("CAST(round(extract(epoch FROM {column}) * 1000) AS BIGINT)"),
    }
}

fn value(column: &Column, backend: DbBackend) -> String {
    let name = format!("t.\"{}\"", column.name);
    match column.kind {
        Kind::Text => name,
        Kind::Bool => format!("CASE WHEN {name} THEN '1' WHEN NOT {name} THEN '0' END"),
        Kind::Time => format!("CAST({} AS TEXT)", millis(&name, backend)),
        Kind::Addon => format!("(SELECT a.manifest_url FROM addons a WHERE a.id = {name})"),
        Kind::Number | Kind::Real | Kind::Key(_) => format!("CAST({name} AS TEXT)"),
    }
}

fn name(column: &Column) -> String {
    match column.kind {
        Kind::Key(table) => format!(
            "(SELECT coalesce(p.remote_id, '?') FROM {table} p WHERE p.id = t.\"{}\")",
            column.name
        ),
        _ => "NULL".to_owned(),
    }
}

fn row(row: &QueryResult) -> Result<Row> {
    let number: i64 = row.try_get("", "tbl")?;
    let table = usize::try_from(number).ok().and_then(|n| TABLES.get(n));
    let list = |column| -> Result<Vec<Option<String>>> {
        let text: String = row.try_get("", column)?;
        serde_json::from_str(&text).context(text)
    };
    let dirty: i64 = row.try_get("", "dirty")?;
    Ok(Row {
        table: table.context("a table's number")?,
        id: row.try_get("", "id")?,
        remote_id: row.try_get("", "remote_id")?,
        owner: row.try_get("", "owner")?,
        deleted_at: row.try_get("", "deleted_at")?,
        updated_at: row.try_get("", "updated_at")?,
        dirty: dirty == 1,
        values: list("vals")?,
        names: list("names")?,
    })
}
