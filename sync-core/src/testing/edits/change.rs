//! Changes of rows that are there.

use super::{Edit, Editor};
use crate::simulation::{
    dump::Row,
    tables::{Column, Kind, Role},
};

impl Editor<'_> {
    /// One to three columns of a row.
    pub(super) fn change(&mut self) -> Option<String> {
        let table = self.table();
        let row = self.live(table)?;
        let columns: Vec<&Column> = row
            .table
            .columns
            .iter()
            .filter(|column| matches!(column.role, Role::Free | Role::Link))
            .collect();
        let mut set = Vec::new();
        for _ in 0..=self.rng.below(3) {
            let column = *self.rng.pick(&columns)?;
            let assignment = format!("\"{}\" = ", column.name);
            if !set
                .iter()
                .any(|other: &String| other.starts_with(&assignment))
            {
                set.push(format!("{assignment}{}", self.value(column)));
            }
        }
        Some(self.update(&row, &set))
    }

    /// What the player writes every few seconds, and what the user says when he has seen a title.
    pub(super) fn progress(&mut self) -> Option<String> {
        let row = self.live("watch_history")?;
        let (position, now) = (self.rng.between(1, 9_000), self.now());
        let set = match self.rng.below(3) {
            0 => vec![
                "is_watched = TRUE".to_owned(),
                format!("watched_at = {now}"),
            ],
            _ => vec![
                format!("position = {position}"),
                "duration = 9000".to_owned(),
                format!("last_stream = '{}'", self.token()),
            ],
        };
        Some(self.update(&row, &set))
    }

    /// A list gets a name that no other has, or, where that is wanted, one that another may have.
    pub(super) fn rename_list(&mut self) -> Option<String> {
        let row = self.live("lists")?;
        let name = if self.options.renames_onto_taken_keys && self.rng.percent(60) {
            format!("list {}", self.rng.below(2))
        } else {
            self.token()
        };
        Some(self.update(&row, &[format!("name = '{name}'")]))
    }

    /// All rows of a parent at once.
    pub(super) fn bulk(&mut self) -> Option<String> {
        let table = self.table();
        let row = self.live(table)?;
        let (parent, _) = row
            .table
            .parents()
            .find(|&(number, _)| row.values[number].is_some())?;
        let column = row
            .table
            .columns
            .iter()
            .filter(|column| column.role == Role::Free);
        let column = *self.rng.pick(&column.collect::<Vec<_>>())?;
        let value = match column.kind {
            Kind::Bool => format!("NOT \"{}\"", column.name),
            _ => self.value(column),
        };
        Some(format!(
            "UPDATE {} SET \"{}\" = {value} WHERE {} = {} AND deleted_at IS NULL",
            row.table.name,
            column.name,
            row.table.columns[parent].name,
            row.values[parent].as_ref()?
        ))
    }

    /// An edit that is taken back.
    pub(super) fn back_and_forth(&mut self) -> Option<Edit> {
        let table = self.table();
        let row = self.live(table)?;
        let texts = |&(_, c): &(usize, &Column)| c.role == Role::Free && c.kind == Kind::Text;
        let columns: Vec<(usize, &Column)> =
            row.table.columns.iter().enumerate().filter(texts).collect();
        let &(number, column) = self.rng.pick(&columns)?;
        let before = match &row.values[number] {
            Some(value) => format!("'{value}'"),
            None => "NULL".to_owned(),
        };
        let new = format!("\"{}\" = '{}'", column.name, self.token());
        let (there, back) = (
            self.update(&row, &[new]),
            self.update(&row, &[format!("\"{}\" = {before}", column.name)]),
        );
        Some(Edit::Undone(there, back))
    }

    /// An UPDATE as the app writes it: now and then it sets what is none of its business.
    pub(super) fn update(&mut self, row: &Row, set: &[String]) -> String {
        let mut set = set.join(", ");
        if self.rng.percent(40) {
            set.push_str(", dirty = TRUE");
        }
        if self.rng.percent(40) {
            let now = self.now();
            set.push_str(&format!(", updated_at = {now}"));
        }
        format!("UPDATE {} SET {set} WHERE id = {}", row.table.name, row.id)
    }
}
