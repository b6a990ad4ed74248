//! New rows.

use super::{Edit, Editor, NewRow};
use crate::testing::tables::{Column, Role, Table};

impl Editor<'_> {
    /// A new row of any table.
    pub(super) fn insert(&mut self) -> Option<Edit> {
        let table = self.table()?;
        self.insert_into(table).map(Edit::Insert)
    }

    /// A new row, or other values for the row with that key: an application's "add or update".
    pub(super) fn upsert(&mut self) -> Option<Edit> {
        let table = self.table()?;
        let keys = table.keys;
        let key = *self.rng.pick(keys)?;
        let mut row = self.insert_into(table)?;
        let free: Vec<&Column> = table
            .columns
            .iter()
            .filter(|column| column.role == Role::Free && column.group == column.name)
            .collect();
        let mut set: Vec<String> = Vec::new();
        for _ in 0..2 {
            let name = self.rng.pick(&free)?.name;
            let assignment = format!("\"{name}\" = excluded.\"{name}\"");
            if !set.contains(&assignment) {
                set.push(assignment);
            }
        }
        let key: Vec<String> = key.iter().map(|column| format!("\"{column}\"")).collect();
        row.sql.push_str(&format!(
            " ON CONFLICT ({}) WHERE deleted_at IS NULL DO UPDATE SET {}",
            key.join(", "),
            set.join(", ")
        ));
        Some(Edit::Insert(row))
    }

    pub(crate) fn insert_into(&mut self, table: &'static Table) -> Option<NewRow> {
        let mut set: Vec<(&'static str, String)> = Vec::new();
        if let Some(owner) = table.owner {
            let user = self.user;
            set.push((
                owner.column,
                if owner.number {
                    user.to_owned()
                } else {
                    format!("'{user}'")
                },
            ));
        }
        set.extend(self.parents_for(table)?);
        for column in &table.columns {
            if matches!(column.role, Role::Parent | Role::Left) {
                continue;
            }
            // What is left out has the column's default; a time has none that is the same in every run.
            let may_lack =
                !column.required && !matches!(column.role, Role::ByValue(_) | Role::Name);
            if may_lack && self.rng.percent(30) {
                continue;
            }
            let value = self.value(table, column);
            if column.required && value == "NULL" {
                return None;
            }
            set.push((column.name, value));
        }
        if table.says_dirty {
            set.push(("dirty", "FALSE".to_owned()));
        }
        if table.says_updated_at {
            set.push(("updated_at", self.now()));
        }
        let columns: Vec<String> = set.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let values: Vec<&str> = set.iter().map(|(_, value)| value.as_str()).collect();
        let sql = format!(
            "INSERT INTO \"{}\" ({}) VALUES ({})",
            table.name,
            columns.join(", "),
            values.join(", ")
        );
        Some(NewRow { sql, table, set })
    }

    /// The parents a new row needs; of those it may have, one, or none if it has an owner of its own.
    fn parents_for(&mut self, table: &'static Table) -> Option<Vec<(&'static str, String)>> {
        let parents: Vec<(usize, &'static str)> = table
            .parents()
            .filter(|&(number, _)| table.columns[number].role == Role::Parent)
            .collect();
        let may: Vec<_> = parents
            .iter()
            .filter(|(n, _)| !table.columns[*n].required)
            .collect();
        let must = parents.iter().filter(|(n, _)| table.columns[*n].required);
        let mut chosen: Vec<(usize, &'static str)> = must.copied().collect();
        let needs_one = chosen.is_empty() && table.owner.is_none();
        if let Some(&&one) = self.rng.pick(&may)
            && (needs_one || self.rng.percent(50))
        {
            chosen.push(one);
        }
        let mut set = Vec::new();
        for (number, parent) in chosen {
            set.push((
                table.columns[number].name,
                self.live_row(parent)?.id.to_string(),
            ));
        }
        Some(set)
    }
}
