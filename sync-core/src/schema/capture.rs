//! What has to be captured of one table, in the terms both databases' triggers are written in.

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
}

impl Captured {
    /// Columns that a later migration adds are left out until they are there.
    pub(crate) fn new(registered: &Registered, there: &[String]) -> Self {
        let shape = registered.shape;
        let has = |column: &&'static str| there.iter().any(|c| c == *column);
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
            .filter_map(Follows::new)
            .collect();
        Self {
            table: shape.table,
            id: shape.id,
            registers,
            follows,
        }
    }

    /// Every captured column.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.registers
            .iter()
            .flat_map(|r| r.columns.iter().copied())
    }

    /// Every captured column but the deletion time, which an adopted table may lack.
    pub(super) fn deletable(&self) -> bool {
        self.columns().any(|c| c == DELETED_AT)
    }
}

impl Follows {
    fn new(target: &Target) -> Option<Self> {
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
        })
    }
}

/// Quotes a name for either database.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a string for either database.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Fails to compile when the words that SQL texts spell out change.
const _: () = assert!(matches!(
    (EVERY_REGISTER.as_bytes(), DELETED_AT.as_bytes()),
    (b"*", b"deleted_at")
));
