//! New rows.

use super::Editor;
use crate::simulation::tables::{Role, Table};

impl Editor<'_> {
    /// A new row of any table.
    pub(super) fn insert(&mut self) -> Option<String> {
        let table = self.table();
        self.insert_into(table)
    }

    /// A new row, or another title for the row with that key: the app's "add or update".
    pub(super) fn upsert(&mut self) -> Option<String> {
        let table = if self.rng.percent(50) {
            "list_items"
        } else {
            "watch_history"
        };
        let insert = self.insert_into(table)?;
        let key = Table::named(table).keys[0].join(", ");
        Some(format!(
            "{insert} ON CONFLICT ({key}) WHERE deleted_at IS NULL DO UPDATE SET title = excluded.title, poster = excluded.poster"
        ))
    }

    fn insert_into(&mut self, table: &'static str) -> Option<String> {
        let facts = Table::named(table);
        let mut columns: Vec<String> = Vec::new();
        let mut values: Vec<String> = Vec::new();
        if facts.root {
            columns.push("user_id".to_owned());
            values.push(format!("'{}'", self.user));
        } else {
            let parents: Vec<(usize, &'static str)> = facts.parents().collect();
            let &(number, parent) = self.rng.pick(&parents)?;
            columns.push(facts.columns[number].name.to_owned());
            values.push(self.live(parent)?.id.to_string());
        }
        for column in facts
            .columns
            .iter()
            .filter(|column| column.role != Role::Parent)
        {
            // What is left out has the column's default; the time has none that is the same in every run.
            if !column.required && column.role != Role::Born && self.rng.percent(30) {
                continue;
            }
            columns.push(format!("\"{}\"", column.name));
            values.push(self.value(column));
        }
        let (columns, values) = (columns.join(", "), values.join(", "));
        Some(format!("INSERT INTO {table} ({columns}) VALUES ({values})"))
    }
}
