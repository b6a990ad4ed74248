//! Who wrote what, and on top of what: taken down by looking at a database before and after an edit.

use std::collections::{BTreeMap, HashMap};

use super::{
    dump::{Dump, Row},
    tables::Table,
};

/// Where an edit was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    Device(usize),
    Server,
}

/// A row as one database knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) table: &'static str,
    pub(crate) id: i64,
}

/// A register's columns.
pub(crate) type Value = Vec<Option<String>>;

#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) key: Key,
    pub(crate) register: &'static str,
    /// What stood there; none for a new row.
    pub(crate) seen: Option<Value>,
    pub(crate) value: Value,
    /// When, by the true clock, in milliseconds.
    pub(crate) at: i64,
}

/// What happened to a row as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Inserted,
    Deleted,
    Undeleted,
    Removed,
}

/// All edits of a run.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) writes: Vec<Write>,
    pub(crate) fates: Vec<(Key, Fate)>,
    /// The parents that rows were given.
    pub(crate) parents: Vec<(Key, Key)>,
    /// Names of rows, each with one that is the same row.
    same: HashMap<String, String>,
    /// What each row was last known to be called.
    linked: HashMap<Key, String>,
}

impl Key {
    fn name(&self) -> String {
        format!("{} {:?} {}", self.table, self.place, self.id)
    }
}

impl Ledger {
    /// Takes down what an edit did.
    pub(crate) fn record(&mut self, place: Place, before: &Dump, after: &Dump, at: i64) {
        let key = |row: &Row| Key {
            place,
            table: row.table.name,
            id: row.id,
        };
        fn by_key<'a>(dump: &'a Dump, key: impl Fn(&Row) -> Key) -> BTreeMap<Key, &'a Row> {
            dump.rows.iter().map(|row| (key(row), row)).collect()
        }
        let (before, after) = (by_key(before, key), by_key(after, key));
        for (key, row) in &after {
            let old = before.get(key).copied();
            if old == Some(row) {
                continue;
            }
            self.record_values(*key, old, row, at);
            // A row may come to belong to another.
            let parent = |(table, id)| (*key, Key { place, table, id });
            self.parents.extend(row.parents().map(parent));
            let fate = match (old.map(Row::live), row.live()) {
                (None, _) => Fate::Inserted,
                (Some(true), false) => Fate::Deleted,
                (Some(false), true) => Fate::Undeleted,
                _ => continue,
            };
            self.fates.push((*key, fate));
        }
        let gone = before.keys().filter(|key| !after.contains_key(key));
        self.fates.extend(gone.map(|key| (*key, Fate::Removed)));
        self.link(place, before.into_values());
        self.link(place, after.into_values());
    }

    fn record_values(&mut self, key: Key, old: Option<&Row>, row: &Row, at: i64) {
        for (register, columns) in row.table.registers() {
            let value = value(row, &columns);
            let seen = old.map(|old| self::value(old, &columns));
            if seen.as_ref() != Some(&value) {
                self.writes.push(Write {
                    key,
                    register,
                    seen,
                    value,
                    at,
                });
            }
        }
    }

    /// Takes down the names that rows have by now.
    pub(crate) fn link<'a>(&mut self, place: Place, rows: impl Iterator<Item = &'a Row>) {
        for row in rows {
            if let Some(remote_id) = &row.remote_id {
                let key = Key {
                    place,
                    table: row.table.name,
                    id: row.id,
                };
                if self.linked.get(&key) == Some(remote_id) {
                    continue;
                }
                self.unite(&key.name(), &shared_name(row.table.name, remote_id));
                self.linked.insert(key, remote_id.clone());
            }
        }
    }

    /// Takes down that two names are of the same row.
    pub(crate) fn alias(&mut self, table: &str, alias: &str, remote_id: &str) {
        self.unite(&shared_name(table, alias), &shared_name(table, remote_id));
    }

    fn unite(&mut self, one: &str, other: &str) {
        let (one, other) = (self.root(one), self.root(other));
        if one != other {
            self.same.insert(one, other);
        }
    }

    fn root(&self, name: &str) -> String {
        let mut name = name;
        while let Some(next) = self.same.get(name) {
            name = next;
        }
        name.to_owned()
    }

    /// The row that a database's row is, whatever its name was.
    pub(crate) fn row_of(&self, key: &Key) -> String {
        self.root(&key.name())
    }

    /// The same for a row with a name.
    pub(crate) fn row_named(&self, table: &Table, remote_id: &str) -> String {
        self.root(&shared_name(table.name, remote_id))
    }
}

pub(crate) fn value(row: &Row, columns: &[usize]) -> Value {
    columns
        .iter()
        .map(|&number| row.values[number].clone())
        .collect()
}

fn shared_name(table: &str, remote_id: &str) -> String {
    format!("{table} {remote_id}")
}
