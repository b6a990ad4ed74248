//! What has to be captured of one table, in the terms both databases' triggers are written in.

use super::layout::{Layout, UniqueKey};
use crate::{
    registry::{OnDelete, Registered, Target},
    shape::{DELETED_AT, EVERY_REGISTER},
};

/// One table's capture: its registers as far as the database has their columns, and its foreign keys.
#[derive(Clone, Debug)]
pub(crate) struct Captured {
    pub(super) table: &'static str,
    pub(super) id: &'static str,
    pub(super) registers: Vec<CapturedRegister>,
    pub(super) follows: Vec<Follows>,
    /// Columns in which two live rows are one thing.
    pub(super) natural_keys: Vec<&'static [&'static str]>,
    /// Columns by which the database itself keeps rows apart.
    pub(super) unique: Vec<UniqueKey>,
    pub(super) has_rejected: bool,
    pub(super) has_feed: bool,
}

/// A register with the columns that are in the database.
#[derive(Clone, Debug)]
pub(super) struct CapturedRegister {
    pub(super) name: &'static str,
    pub(super) columns: Vec<&'static str>,
}

/// A foreign key that reacts to the soft delete of the row it refers to.
#[derive(Clone, Debug)]
pub(super) struct Follows {
    pub(super) column: &'static str,
    pub(super) parent: String,
    pub(super) parent_id: String,
    pub(super) set_null: bool,
    /// Whether the row may not be deleted while this one refers to it, where foreign keys are enforced.
    pub(super) refuses: bool,
}

impl Captured {
    /// Columns that a later migration adds are left out until they are there.
    pub(crate) fn new(registered: &Registered, layout: &Layout) -> Self {
        let shape = registered.shape;
        let has = |column: &&'static str| layout.has(column);
        let registers = shape
            .registers
            .iter()
            .map(|r| CapturedRegister {
                name: r.name,
                columns: r.columns.iter().copied().filter(has).collect(),
            })
            .filter(|r| !r.columns.is_empty())
            .collect();
        let follows = registered
            .targets
            .iter()
            .filter(|t| has(&t.column))
            .filter_map(|target| Follows::new(target, layout))
            .collect();
        let natural_keys = shape.natural_keys.iter().copied();
        Self {
            table: shape.table,
            id: shape.id,
            registers,
            follows,
            natural_keys: natural_keys.filter(|key| key.iter().all(has)).collect(),
            unique: layout.unique.clone(),
            has_rejected: layout.has_rejected,
            has_feed: layout.has_feed,
        }
    }

    /// Every captured column.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.registers
            .iter()
            .flat_map(|r| r.columns.iter().copied())
    }

    /// What has to hold besides, so that the deleted row `row` can come back: no live row has its key.
    pub(super) fn keys_are_free(&self, row: &str) -> String {
        let free = self.natural_keys.iter().map(|key| {
            let same: Vec<String> = key
                .iter()
                .map(|column| format!("o.{c} = {row}.{c}", c = quoted(column)))
                .collect();
            format!(
                " AND NOT EXISTS (SELECT 1 FROM {} o WHERE {} AND o.deleted_at IS NULL)",
                quoted(self.table),
                same.join(" AND ")
            )
        });
        free.collect()
    }

    /// Every captured column but the deletion time, which an adopted table may lack.
    pub(super) fn deletable(&self) -> bool {
        self.columns().any(|c| c == DELETED_AT)
    }
}

impl Follows {
    fn new(target: &Target, layout: &Layout) -> Option<Self> {
        let set_null = match target.on_delete {
            OnDelete::Cascade => false,
            OnDelete::SetNull => true,
            OnDelete::Nothing => return None,
        };
        let (parent, parent_id) = (target.table.clone(), target.id.clone());
        Some(Self {
            column: target.column,
            parent,
            parent_id,
            set_null,
            refuses: layout.refusing.iter().any(|column| column == target.column),
        })
    }
}

/// Quotes a name for either database.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a string for either database.
pub(crate) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Fails to compile when the words that SQL texts spell out change.
const _: () = assert!(matches!(
    (EVERY_REGISTER.as_bytes(), DELETED_AT.as_bytes()),
    (b"*", b"deleted_at")
));
