//! Values to write: texts that exist once, keys out of few.

use chrono::{DateTime, SecondsFormat, TimeDelta};
use sea_orm::DbBackend;

use super::{super::dump::Row, Editor};
use crate::testing::tables::{Catalogue, Column, Kind, Role, Table};

impl Editor<'_> {
    /// A text nobody has written before.
    pub fn text(&mut self) -> String {
        self.number += 1;
        format!("{}.{}", self.author, self.number)
    }

    /// A number nobody has written before.
    pub fn number(&mut self) -> u64 {
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
    pub(super) fn value(&mut self, table: &Table, column: &Column) -> String {
        let may_be_null = matches!(column.role, Role::Free | Role::ByValue(_));
        if !column.required && may_be_null && self.rng.percent(12) {
            return "NULL".to_owned();
        }
        match (column.role, column.kind) {
            (Role::Name | Role::Link, Kind::Key(target)) => self.link(target, column.required),
            (Role::Flag, _) => {
                flag(self.options.exclusive_flags && self.rng.percent(75)).to_owned()
            }
            (Role::Name, _) => {
                // The more columns a key has, the fewer values of each: devices are to choose the same.
                let n_names = table
                    .columns
                    .iter()
                    .filter(|c| c.role == Role::Name)
                    .count();
                let number = self.rng.below(if n_names > 2 { 2 } else { 3 });
                self.numbered(table, column, number as u64)
            }
            (Role::ByValue(_), Kind::Time) => self.now(),
            (Role::ByValue(_), _) => {
                let number = self.rng.below(40) as u64;
                self.numbered(table, column, number)
            }
            _ => self.fresh(table, column),
        }
    }

    /// A value of which nobody else's is equal, where the column's type has so many.
    pub(super) fn fresh(&mut self, table: &Table, column: &Column) -> String {
        match column.kind {
            _ if self.knows(table, column) => {
                let number = self.number();
                self.numbered(table, column, number)
            }
            Kind::Text => format!("'{}'", self.short_text(column)),
            Kind::Json => self.json(),
            Kind::Time => self.now(),
            Kind::Bool => flag(self.rng.percent(50)).to_owned(),
            _ => {
                let number = self.number();
                self.numbered(table, column, number)
            }
        }
    }

    fn knows(&self, table: &Table, column: &Column) -> bool {
        self.setup.values.knows(table.name, column.name)
    }

    fn short_text(&mut self, column: &Column) -> String {
        let text = self.text();
        let most = column.length.map_or(usize::MAX, |length| length as usize);
        if text.len() <= most {
            text
        } else {
            let number = self.number.to_string();
            number[number.len().saturating_sub(most)..].to_owned()
        }
    }

    fn json(&mut self) -> String {
        format!("'{{\"by\":\"{}\"}}'", self.text())
    }

    /// Value number `number` of a column: the same whoever asks.
    fn numbered(&mut self, table: &Table, column: &Column, number: u64) -> String {
        let values = &self.setup.values;
        if let Some(sql) = values.sql(table.name, column.name, number, self.backend) {
            return sql;
        }
        let name = column.name;
        match column.kind {
            Kind::Text => {
                let most = column.length.map_or(usize::MAX, |length| length as usize);
                let text = format!("{name} {number}");
                let text = if text.len() > most {
                    number.to_string()
                } else {
                    text
                };
                format!("'{text}'")
            }
            Kind::Number(most) => (number % most.unsigned_abs().max(1)).to_string(),
            Kind::Real => format!("{number}.5"),
            Kind::Decimal => format!("{number}.25"),
            Kind::Bool => flag(number % 2 == 1).to_owned(),
            Kind::Time => format!("'{}'", day(number).format("%Y-%m-%d 12:00:00")),
            Kind::Date => format!("'{}'", day(number).format("%Y-%m-%d")),
            Kind::Clock => format!("'{:02}:{:02}:00'", number / 60 % 24, number % 60),
            Kind::Json => format!("'{{\"{name}\":{number}}}'"),
            Kind::Blob => blob(&format!("{number:016x}"), self.backend),
            Kind::Uuid => uuid(number, self.backend),
            Kind::Enum(words) => {
                let word = words.get(number as usize % words.len().max(1));
                word.map_or("NULL".to_owned(), |word| quoted(word))
            }
            Kind::Lookup(catalogue) => self.lookup(catalogue, number),
            Kind::Key(_) | Kind::Other => "NULL".to_owned(),
        }
    }

    fn lookup(&self, catalogue: &Catalogue, number: u64) -> String {
        let keys = self.setup.keys(catalogue);
        let Some(key) = keys.get(number as usize % keys.len().max(1)) else {
            return "NULL".to_owned();
        };
        let Catalogue {
            table,
            id,
            key: column,
        } = catalogue;
        format!(
            "(SELECT \"{id}\" FROM \"{table}\" WHERE \"{column}\" = {})",
            quoted(key)
        )
    }

    fn link(&mut self, table: &str, required: bool) -> String {
        let to = self.live_row(table);
        if !required && self.rng.percent(25) {
            return "NULL".to_owned();
        }
        to.map_or_else(|| "NULL".to_owned(), |row| row.id.to_string())
    }

    /// Any live row of a table.
    pub(super) fn live_row(&mut self, table: &str) -> Option<Row> {
        let rows: Vec<&Row> = self.dump.of(table).filter(|row| row.live()).collect();
        self.rng.pick(&rows).map(|row| (*row).clone())
    }

    /// Any row that is deleted, and whose parents are not.
    pub(super) fn deleted_row(&mut self, table: &str) -> Option<Row> {
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
    pub(super) fn table(&mut self) -> Option<&'static Table> {
        let writable = self
            .setup
            .tables
            .iter()
            .filter(|t| t.unwritable().is_none());
        let tables: Vec<(u64, &'static Table)> = writable.map(|t| (t.weight, t)).collect();
        self.rng.weighted(&tables)
    }
}

fn flag(on: bool) -> &'static str {
    if on { "TRUE" } else { "FALSE" }
}

/// A text as an SQL literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn day(number: u64) -> DateTime<chrono::Utc> {
    let days = TimeDelta::days(i64::try_from(number % 20_000).unwrap_or_default());
    DateTime::from_timestamp_millis(super::super::template::BEGIN_MS).unwrap_or_default() - days
}

fn blob(hex: &str, backend: DbBackend) -> String {
    match backend {
        DbBackend::Postgres => format!("'\\x{hex}'::bytea"),
        _ => format!("X'{hex}'"),
    }
}

/// As SeaORM stores it.
fn uuid(number: u64, backend: DbBackend) -> String {
    let uuid = uuid::Uuid::from_u64_pair(0x4000, 0x8000_0000_0000_0000 | number);
    match backend {
        DbBackend::Postgres => format!("'{uuid}'"),
        _ => format!("X'{}'", uuid.simple()),
    }
}
