//! Changes of rows that are there.

use super::{Edit, Editor};
use crate::testing::{
    dump::Row,
    tables::{Column, Kind, Role},
};

impl Editor<'_> {
    /// One to three columns of a row.
    pub(super) fn change(&mut self) -> Option<String> {
        let table = self.table()?.name;
        let row = self.live_row(table)?;
        // What the server's own database is told is absorbed as it is, so it cannot be a value that a rule of
        // values has decided otherwise.
        let on_server = self.author.ends_with(".server");
        let decided = |c: &&Column| on_server && matches!(c.role, Role::ByValue(_));
        let flags = self.options.exclusive_flags && self.rng.percent(70);
        let columns: Vec<&Column> = row
            .table
            .columns
            .iter()
            .filter(|c| (changes(c) && !decided(c)) || (flags && c.role == Role::Flag))
            .collect();
        let flag = columns.iter().find(|c| c.role == Role::Flag).copied();
        let mut set = Vec::new();
        for _ in 0..=self.rng.below(3) {
            let column = match flag {
                Some(flag) if self.rng.percent(40) => flag,
                _ => *self.rng.pick(&columns)?,
            };
            let assignment = format!("\"{}\" = ", column.name);
            if !set
                .iter()
                .any(|other: &String| other.starts_with(&assignment))
            {
                let value = self.changed(&row, column)?;
                set.push(format!("{assignment}{value}"));
            }
        }
        Some(self.update(&row, &set))
    }

    /// A value for a row that is there: it may not come to refer to itself, nor to what belongs to it.
    fn changed(&mut self, row: &Row, column: &Column) -> Option<String> {
        match column.kind {
            Kind::Key(table) if table == row.table.name => {
                let free = |other: &&Row| other.live() && !self.dump.is_above(row, other);
                let rows: Vec<i64> = self
                    .dump
                    .of(table)
                    .filter(free)
                    .map(|other| other.id)
                    .collect();
                if !column.required && self.rng.percent(25) {
                    return Some("NULL".to_owned());
                }
                self.rng.pick(&rows).map(ToString::to_string)
            }
            _ => Some(self.value(row.table, column)),
        }
    }

    /// Columns that belong together, at once: what a player writes every few seconds.
    pub(super) fn group(&mut self) -> Option<String> {
        let grouped = |column: &Column| column.role == Role::Free && column.group != column.name;
        let tables = self.setup.tables.iter();
        let tables: Vec<_> = tables
            .filter(|table| table.columns.iter().any(grouped))
            .collect();
        let table = *self.rng.pick(&tables)?;
        let row = self.live_row(table.name)?;
        let columns = row.table.columns.iter().filter(|column| grouped(column));
        let groups: Vec<&Column> = columns.collect();
        let group = self.rng.pick(&groups)?.group;
        let mut set = Vec::new();
        for column in groups.iter().filter(|column| column.group == group) {
            if set.is_empty() || self.rng.percent(60) {
                let value = self.value(table, column);
                set.push(format!("\"{}\" = {value}", column.name));
            }
        }
        Some(self.update(&row, &set))
    }

    /// A row gets a key that no other has, or, where that is wanted, one that another may have.
    pub(super) fn rename(&mut self) -> Option<String> {
        let table = self.table()?;
        let named = |c: &&Column| {
            c.role == Role::Name
                && !matches!(
                    c.kind,
                    Kind::Key(_) | Kind::Lookup(_) | Kind::Bool | Kind::Enum(_)
                )
        };
        let names: Vec<&Column> = table.columns.iter().filter(named).collect();
        let column = *self.rng.pick(&names)?;
        let row = self.live_row(table.name)?;
        let value = if self.options.renames_onto_taken_keys && self.rng.percent(60) {
            self.value(table, column)
        } else {
            self.fresh(table, column)
        };
        Some(self.update(&row, &[format!("\"{}\" = {value}", column.name)]))
    }

    /// All rows of a parent at once.
    pub(super) fn bulk(&mut self) -> Option<String> {
        let table = self.table()?;
        let row = self.live_row(table.name)?;
        let (parent, _) = table
            .parents()
            .find(|&(number, _)| row.values[number].is_some())?;
        let columns = table
            .columns
            .iter()
            .filter(|column| column.role == Role::Free);
        let column = *self.rng.pick(&columns.collect::<Vec<_>>())?;
        let value = match column.kind {
            Kind::Bool => format!("NOT \"{}\"", column.name),
            _ => self.value(table, column),
        };
        Some(format!(
            "UPDATE \"{}\" SET \"{}\" = {value} WHERE \"{}\" = {} AND deleted_at IS NULL",
            table.name,
            column.name,
            table.columns[parent].name,
            row.values[parent].as_ref()?
        ))
    }

    /// An edit that is taken back.
    pub(super) fn back_and_forth(&mut self) -> Option<Edit> {
        let table = self.table()?;
        let row = self.live_row(table.name)?;
        let texts = |&(_, c): &(usize, &Column)| c.role == Role::Free && c.kind == Kind::Text;
        let columns: Vec<(usize, &Column)> =
            table.columns.iter().enumerate().filter(texts).collect();
        let &(number, column) = self.rng.pick(&columns)?;
        let before = match &row.values[number] {
            Some(value) => super::values::quoted(value),
            None => "NULL".to_owned(),
        };
        let new = format!("\"{}\" = {}", column.name, self.fresh(table, column));
        let (there, back) = (
            self.update(&row, &[new]),
            self.update(&row, &[format!("\"{}\" = {before}", column.name)]),
        );
        Some(Edit::Undone(there, back))
    }

    /// An UPDATE as an app writes it: now and then it sets what is none of its business.
    pub(super) fn update(&mut self, row: &Row, set: &[String]) -> String {
        let mut set = set.join(", ");
        if self.rng.percent(40) {
            set.push_str(", dirty = TRUE");
        }
        if self.rng.percent(40) {
            let now = self.now();
            set.push_str(&format!(", updated_at = {now}"));
        }
        let (table, id) = (row.table.name, row.table.id);
        format!("UPDATE \"{table}\" SET {set} WHERE \"{id}\" = {}", row.id)
    }
}

/// Whether a column of a row that is there is changed at will.
fn changes(column: &Column) -> bool {
    matches!(column.role, Role::Free | Role::Link | Role::ByValue(_))
}
