//! All rows of the synced tables at once, in a form that is the same on every replica.

use std::collections::HashMap;

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde::Deserialize;

use super::tables::{Column, Kind, Table};

/// One row. Values are texts, times in milliseconds; NULL is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) table: &'static Table,
    pub(crate) id: i64,
    pub(crate) remote_id: Option<String>,
    /// The account of a row that names it.
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

    /// The ids of the rows it belongs to, or goes with, that are set.
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
            .find(|row| row.id == id && row.table.name == table)
    }

    /// Whether `above` is `row` itself, or `row` is what it belongs to.
    pub(crate) fn is_above(&self, row: &Row, below: &Row) -> bool {
        let mut open = vec![below];
        let mut seen: Vec<&Row> = Vec::new();
        while let Some(next) = open.pop() {
            if next.id == row.id && next.table == row.table {
                return true;
            }
            if !seen
                .iter()
                .any(|s| s.id == next.id && s.table == next.table)
            {
                seen.push(next);
                open.extend(
                    next.parents()
                        .filter_map(|(table, id)| self.find(table, id)),
                );
            }
        }
        false
    }

    /// Only what belongs to this account.
    pub(crate) fn owned_by(&self, user: &str) -> Self {
        let mut owners: HashMap<(&str, i64), &str> = HashMap::new();
        // A table that refers to itself may have children before their parents.
        loop {
            let before = owners.len();
            for row in &self.rows {
                let parent = || {
                    row.parents()
                        .find_map(|parent| owners.get(&parent).copied())
                };
                if let Some(owner) = row.owner.as_deref().or_else(parent) {
                    owners.insert((row.table.name, row.id), owner);
                }
            }
            if owners.len() == before {
                break;
            }
        }
        let mine = |row: &&Row| {
            let owner = owners.get(&(row.table.name, row.id));
            owner.is_some_and(|owner| *owner == user)
        };
        Self {
            rows: self.rows.iter().filter(mine).cloned().collect(),
        }
    }
}

/// Reads everything with one statement, which [`statement`] has made: rows one by one take much longer.
pub(crate) async fn read(
    db: &DatabaseConnection,
    tables: &'static [Table],
    sql: &str,
) -> Result<Dump> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let all = db.query_one_raw(statement).await?.context("a row")?;
    let text: String = all.try_get("", "text")?;
    let lines: Vec<Vec<Line>> = serde_json::from_str(&text).with_context(|| text.clone())?;
    let rows = tables.iter().zip(lines).flat_map(|(table, mut lines)| {
        lines.sort_by_key(|line| line.id);
        lines.into_iter().map(|line| line.row(table))
    });
    Ok(Dump {
        rows: rows.collect(),
    })
}

/// What reads all rows of these tables, as one JSON text.
pub(crate) fn statement(tables: &[Table], backend: DbBackend) -> String {
    let selects: Vec<String> = tables
        .iter()
        .map(|table| format!("({})", select(table, tables, backend)))
        .collect();
    format!(
        "SELECT '[[' || {} || ']]' AS text",
        selects.join(" || '],[' || ")
    )
}

fn select(table: &Table, tables: &[Table], backend: DbBackend) -> String {
    let owner = table.owner.map_or("NULL".to_owned(), |owner| {
        format!("CAST(t.\"{}\" AS TEXT)", owner.column)
    });
    let values: Vec<String> = table.columns.iter().map(|c| value(c, backend)).collect();
    let names: Vec<String> = table.columns.iter().map(|c| name(c, tables)).collect();
    let (array, text, joined) = match backend {
        DbBackend::Sqlite => ("json_array", "", "group_concat"),
        _ => ("json_build_array", "::text", "string_agg"),
    };
    let line = format!(
        "{array}(t.\"{}\", t.remote_id, {owner}, {}, {}, CASE WHEN t.dirty THEN 1 ELSE 0 END,
           {array}({}), {array}({})){text}",
        table.id,
        millis("t.deleted_at", backend),
        millis("t.updated_at", backend),
        values.join(", "),
        names.join(", "),
    );
    format!(
        "SELECT coalesce({joined}({line}, ','), '') FROM \"{}\" t",
        table.name
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
    match (column.kind, backend) {
        (Kind::Text, _) => name,
        (Kind::Bool, _) => format!("CASE WHEN {name} THEN '1' WHEN NOT {name} THEN '0' END"),
        (Kind::Time, _) => format!("CAST({} AS TEXT)", millis(&name, backend)),
        (Kind::Lookup(to), _) => format!(
            "(SELECT a.\"{}\" FROM \"{}\" a WHERE a.\"{}\" = {name})",
            to.key, to.table, to.id
        ),
        (Kind::Blob, DbBackend::Sqlite) => format!("lower(hex({name}))"),
        (Kind::Blob, _) => format!("encode({name}, 'hex')"),
        (Kind::Uuid, DbBackend::Sqlite) => format!(
            "CASE typeof({name}) WHEN 'blob' THEN lower(hex({name})) ELSE replace(lower({name}), '-', '') END"
        ),
        (Kind::Uuid, _) => format!("replace(CAST({name} AS TEXT), '-', '')"),
        _ => format!("CAST({name} AS TEXT)"),
    }
}

fn name(column: &Column, tables: &[Table]) -> String {
    let Kind::Key(table) = column.kind else {
        return "NULL".to_owned();
    };
    let id = tables
        .iter()
        .find(|other| other.name == table)
        .map_or("id", |other| other.id);
    format!(
        "(SELECT coalesce(p.remote_id, '?') FROM \"{table}\" p WHERE p.\"{id}\" = t.\"{}\")",
        column.name
    )
}

/// A row as it is read.
#[derive(Deserialize)]
struct Line {
    id: i64,
    remote_id: Option<String>,
    owner: Option<String>,
    deleted_at: Option<i64>,
    updated_at: Option<i64>,
    dirty: i64,
    values: Vec<Option<String>>,
    names: Vec<Option<String>>,
}

impl Line {
    fn row(mut self, table: &'static Table) -> Row {
        for (value, column) in self.values.iter_mut().zip(&table.columns) {
            *value = value.take().map(|text| canonical(text, column.kind));
        }
        Row {
            table,
            id: self.id,
            remote_id: self.remote_id,
            owner: self.owner,
            deleted_at: self.deleted_at,
            updated_at: self.updated_at,
            dirty: self.dirty == 1,
            values: self.values,
            names: self.names,
        }
    }
}

/// Both databases write some values in forms of their own.
fn canonical(text: String, kind: Kind) -> String {
    match kind {
        Kind::Json => {
            serde_json::from_str::<serde_json::Value>(&text).map_or(text, |value| value.to_string())
        }
        Kind::Real | Kind::Decimal if text.contains('.') => {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => text,
    }
}
