//! What the derive reads from an entity's attributes: the facts SeaORM itself does not keep.

/// An entity's table as sync sees it. Column names are the database's.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The table, which is also its name on the wire.
    pub table: &'static str,
    /// The integer primary key. It never crosses the wire.
    pub id: &'static str,
    /// The column that names the account in a root table.
    pub owner: Option<&'static str>,
    /// What merges as a unit, in declaration order; `deleted_at` is the last.
    pub registers: &'static [Register],
    /// Columns in which two live rows are the same thing, where none of them is NULL.
    pub natural_keys: &'static [&'static [&'static str]],
    /// Columns in which a row and one of the account are equal that are taken for the same thing, once: when a
    /// database with rows of its own is merged into the account.
    pub alike: &'static [&'static str],
    /// Foreign keys to synced tables.
    pub references: &'static [Reference],
    /// Foreign keys to tables that are not synced.
    pub lookups: &'static [Lookup],
    /// Flags that at most one live row of a scope carries.
    pub exclusive: &'static [Exclusive],
    /// Columns that never leave the device.
    pub local: &'static [&'static str],
}

/// A column, or a named group of columns, that merges as one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its name on the wire: the column's or the group's.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [&'static str],
    /// How two values of it merge.
    pub rule: Rule,
    /// The same in the word of its attribute: `latest`, `min`, `max`, or the path of a function.
    pub merge: &'static str,
}

/// How two values of a register merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The later edit wins; of edits at one time the greater canonical value.
    Latest,
    /// By the values alone: the least, the greatest, or what the entity's own function makes of both.
    ByValue,
}

/// A foreign key to a synced table; it crosses the wire as the other row's remote id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The foreign key column.
    pub column: &'static str,
    /// Whether the row belongs to the account of the row it refers to, and is deleted with it.
    pub parent: bool,
    /// Whether the column may be NULL.
    pub nullable: bool,
}

/// A foreign key to a table that is not synced; it crosses the wire as that row's key and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The foreign key column.
    pub column: &'static str,
    /// The unique column of the other table that names the row.
    pub key: &'static str,
}

/// At most one live row with equal `per` has `flag` set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exclusive {
    /// The boolean column.
    pub flag: &'static str,
    /// The column that makes the scope.
    pub per: &'static str,
}

/// The register that says whether a row is deleted; every entity has it, as the last.
pub const DELETED_AT: &str = "deleted_at";

/// In clocks and pending changes: every register that has no entry of its own.
pub const EVERY_REGISTER: &str = "*";

impl Shape {
    /// The number of the register with this name.
    pub fn register(&self, name: &str) -> Option<usize> {
        self.registers.iter().position(|r| r.name == name)
    }

    /// The number of the register that holds this column.
    pub fn register_of(&self, column: &str) -> Option<usize> {
        self.registers
            .iter()
            .position(|r| r.columns.contains(&column))
    }

    /// The number of the register `deleted_at`.
    pub fn deleted_register(&self) -> usize {
        self.registers.len() - 1
    }

    /// The lookup that this column is, if it is one.
    pub fn lookup_of(&self, column: &str) -> Option<&Lookup> {
        self.lookups.iter().find(|lookup| lookup.column == column)
    }

    /// Every column that crosses the wire, register by register.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.registers
            .iter()
            .flat_map(|r| r.columns.iter().copied())
    }
}
