//! Values to write: texts that exist once, keys out of few.

use chrono::{DateTime, SecondsFormat};

use super::{super::dump::Row, Editor};
use crate::simulation::tables::{Column, Kind, Role};

/// The addons of every database of a simulation.
pub(crate) const ADDONS: [&str; 3] = [
    "zentrio://tmdb-addon",
    "https://one.example/manifest.json",
    "https://two.example/manifest.json",
];

impl Editor<'_> {
    /// A text nobody has written before.
    pub(super) fn token(&mut self) -> String {
        self.number += 1;
        format!("{}.{}", self.author, self.number)
    }

    /// A number nobody has written before.
    fn new_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Now, in one of the forms that programs write.
    pub(super) fn now(&mut self) -> String {
        let now = DateTime::from_timestamp_millis(self.now_ms).unwrap_or_default();
        if self.rng.percent(60) {
            format!("'{}'", now.format("%Y-%m-%d %H:%M:%S"))
        } else {
            format!("'{}'", now.to_rfc3339_opts(SecondsFormat::Millis, true))
        }
    }

    /// A new value for a column, as SQL.
    pub(super) fn value(&mut self, column: &Column) -> String {
        if !column.required && column.role == Role::Free && self.rng.percent(12) {
            return "NULL".to_owned();
        }
        match (column.role, column.kind) {
            (Role::Name, _) => self.name(column),
            (Role::Link, Kind::Key(table)) => self.link(table),
            (Role::Flag, _) => if self.options.exclusive_flags {
                "TRUE"
            } else {
                "FALSE"
            }
            .to_owned(),
            (_, Kind::Text) => format!("'{}'", self.token()),
            (_, Kind::Number) => self.new_number().to_string(),
            (_, Kind::Real) => format!("{}.5", self.new_number()),
            (_, Kind::Bool) => if self.rng.percent(50) {
                "TRUE"
            } else {
                "FALSE"
            }
            .to_owned(),
            (_, Kind::Time) => self.now(),
            (_, Kind::Key(_) | Kind::Addon) => "NULL".to_owned(),
        }
    }

    /// Part of a natural key: out of so few that devices choose the same.
    fn name(&mut self, column: &Column) -> String {
        let number = self.rng.below(3);
        match column.name {
            "addon_id" => {
                format!(
                    "(SELECT id FROM addons WHERE manifest_url = '{}')",
                    ADDONS[number]
                )
            }
            "season" | "episode" => if number == 0 { "1" } else { "-1" }.to_owned(),
            "name" => format!("'list {}'", number % 2),
            _ => format!("'tt{number}'"),
        }
    }

    fn link(&mut self, table: &str) -> String {
        let to = self.live(table);
        if self.rng.percent(25) {
            return "NULL".to_owned();
        }
        to.map_or_else(|| "NULL".to_owned(), |row| row.id.to_string())
    }

    /// Any live row of a table.
    pub(super) fn live(&mut self, table: &str) -> Option<Row> {
        let rows: Vec<&Row> = self.dump.of(table).filter(|row| row.live()).collect();
        self.rng.pick(&rows).map(|row| (*row).clone())
    }

    /// Any row that is deleted, and whose parents are not.
    pub(super) fn deleted(&mut self, table: &str) -> Option<Row> {
        let parents_live = |row: &Row| {
            let live = |(table, id)| self.dump.find(table, id).is_some_and(Row::live);
            row.parents().all(live)
        };
        let rows: Vec<&Row> = self
            .dump
            .of(table)
            .filter(|row| !row.live() && parents_live(row))
            .collect();
        self.rng.pick(&rows).map(|row| (*row).clone())
    }

    /// A table, those with many rows more often than the few at the top.
    pub(super) fn table(&mut self) -> &'static str {
        let tables = [
            (1, "settings_profiles"),
            (1, "profiles"),
            (3, "profile_addons"),
            (3, "stream_settings"),
            (3, "appearance_settings"),
            (5, "watch_history"),
            (4, "lists"),
            (6, "list_items"),
        ];
        self.rng.weighted(&tables).unwrap_or("lists")
    }
}
