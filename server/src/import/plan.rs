//! Which tables are copied, in which order, and which columns of them.

use std::collections::HashSet;

use super::cell::Kind;
use crate::Error;

/// What each end has of its own, or has made anew.
const NOT_DATA: [&str; 7] = [
    "sync_capture",
    "sync_clock",
    "sync_guard",
    "sync_login_migrations",
    "sync_migrations",
    "sync_replaced",
    super::target::NOTES,
];

/// A table of the source.
#[derive(Clone, Debug)]
pub(super) struct SourceTable {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// By which columns its rows have an order.
    pub(super) order_by: String,
}

/// A table of the target.
#[derive(Clone, Debug)]
pub(super) struct TargetTable {
    pub(super) name: String,
    pub(super) columns: Vec<TargetColumn>,
    /// The tables that its foreign keys lead to.
    pub(super) parents: Vec<String>,
}

/// A column of the target.
#[derive(Clone, Debug)]
pub(super) struct TargetColumn {
    pub(super) name: String,
    pub(super) data_type: String,
    /// Whether the database counts it up.
    pub(super) is_identity: bool,
}

/// All tables, parents first.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tables: Vec<Table>,
}

/// One table's copy.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Kind)>,
    pub(super) order_by: String,
    pub(super) identity: Option<String>,
}

/// What only the source has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) tables: Vec<String>,
    pub(super) columns: Vec<String>,
}

/// Finds out what is to be copied.
pub(super) fn plan(
    source: Vec<SourceTable>,
    target: Vec<TargetTable>,
) -> Result<(Plan, Left), Error> {
    let mut left = Left::default();
    let mut tables = Vec::new();
    let is_data = |table: &SourceTable| !NOT_DATA.contains(&table.name.as_str());
    let mut waiting: Vec<SourceTable> = source.into_iter().filter(is_data).collect();
    waiting.retain(|table| {
        let both_have = target.iter().any(|there| there.name == table.name);
        if !both_have {
            left.tables.push(table.name.clone());
        }
        both_have
    });
    while !waiting.is_empty() {
        let names: HashSet<String> = waiting.iter().map(|table| table.name.clone()).collect();
        let is_free = |table: &TargetTable| {
            let mut others = table.parents.iter().filter(|parent| **parent != table.name);
            !others.any(|parent| names.contains(parent))
        };
        let next = waiting.iter().position(|table| {
            let there = target.iter().find(|there| there.name == table.name);
            there.is_some_and(is_free)
        });
        let Some(next) = next else {
            let message = format!("tables refer to each other in a circle: {names:?}");
            return Err(Error::Import(message));
        };
        let table = waiting.remove(next);
        if let Some(there) = target.iter().find(|there| there.name == table.name) {
            tables.push(one(table, there, &mut left)?);
        }
    }
    Ok((Plan { tables }, left))
}

fn one(table: SourceTable, there: &TargetTable, left: &mut Left) -> Result<Table, Error> {
    let mut columns = Vec::new();
    for name in table.columns {
        let Some(column) = there.columns.iter().find(|column| column.name == name) else {
            left.columns.push(format!("{}.{name}", table.name));
            continue;
        };
        let kind = Kind::of(&column.data_type).ok_or_else(|| {
            let TargetColumn { data_type, .. } = column;
            Error::Import(format!(
                "column {}.{name} of the target is a {data_type}, which is not known here",
                table.name
            ))
        })?;
        columns.push((name, kind));
    }
    let identity = there.columns.iter().find(|column| column.is_identity);
    Ok(Table {
        name: table.name,
        columns,
        order_by: table.order_by,
        identity: identity.map(|column| column.name.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, columns: &[&str]) -> SourceTable {
        SourceTable {
            name: name.to_owned(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            order_by: "rowid".to_owned(),
        }
    }

    fn target(name: &str, columns: &[&str], parents: &[&str]) -> TargetTable {
        let column = |&name: &&str| TargetColumn {
            name: name.to_owned(),
            data_type: "bigint".to_owned(),
            is_identity: name == "id",
        };
        TargetTable {
            name: name.to_owned(),
            columns: columns.iter().map(column).collect(),
            parents: parents.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn parents_come_first_and_what_only_one_end_has_is_left() {
        let here = vec![
            source("child", &["id", "theirs"]),
            source("parent", &["id"]),
            source("sync_capture", &["tbl"]),
            source("other", &["id"]),
        ];
        let there = vec![
            target("child", &["id", "new"], &["parent", "child"]),
            target("parent", &["id"], &[]),
            target("sync_capture", &["tbl"], &[]),
        ];
        let (plan, left) = plan(here, there).expect("plan");
        let names: Vec<&str> = plan.tables.iter().map(|table| &*table.name).collect();
        assert_eq!(names, ["parent", "child"]);
        assert_eq!(plan.tables[1].columns, [("id".to_owned(), Kind::Integer)]);
        assert_eq!(plan.tables[1].identity.as_deref(), Some("id"));
        assert_eq!(
            (left.tables, left.columns),
            (vec!["other".to_owned()], vec!["child.theirs".to_owned()])
        );
    }

    #[test]
    fn a_circle_is_refused() {
        let here = vec![source("a", &["id"]), source("b", &["id"])];
        let there = vec![target("a", &["id"], &["b"]), target("b", &["id"], &["a"])];
        assert!(plan(here, there).is_err());
    }
}
