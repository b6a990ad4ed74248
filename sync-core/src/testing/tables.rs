//! The synced tables as edits and oracles see them, read from the registry.

use sea_orm::ColumnType;

use super::hooks::Values;
use crate::{
    fact::Fact,
    registry::{OnDelete, Registered, Registry, Target},
    shape::{DELETED_AT, Exclusive, Rule, Shape},
};

/// What a column holds, and how it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// An integer, and the greatest its type holds.
    Number(i64),
    Real,
    Decimal,
    Bool,
    Time,
    Date,
    Clock,
    Json,
    Blob,
    Uuid,
    /// One of a few words.
    Enum(&'static [String]),
    /// A foreign key to this synced table.
    Key(&'static str),
    /// A foreign key to a table that is not synced, whose ids are others everywhere.
    Lookup(&'static Catalogue),
    /// Something the kit knows nothing of.
    Other,
}

/// What edits do with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Changed at will.
    Free,
    /// Part of a natural key: given to a new row, one of few values.
    Name,
    /// Merged by its values alone, by this register's rule.
    ByValue(usize),
    /// The row it belongs to: set once; one of a row's parents is.
    Parent,
    /// Another row it refers to.
    Link,
    /// Carried by one row of a scope.
    Flag,
    /// Not edited, as the report says.
    Left,
}

/// A table that is not synced but referred to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Catalogue {
    pub(crate) table: String,
    pub(crate) id: String,
    /// The column that names a row everywhere.
    pub(crate) key: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
    /// Whether every row has a value.
    pub(crate) required: bool,
    /// The most characters it holds.
    pub(crate) length: Option<u32>,
    /// The name of the columns it merges with.
    pub(crate) group: &'static str,
    /// Of a foreign key: what happens to the row when the one it refers to is deleted.
    pub(crate) on_delete: Option<OnDelete>,
}

/// The column that names a row's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) column: &'static str,
    /// Whether it holds a number.
    pub(crate) number: bool,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The primary key.
    pub(crate) id: &'static str,
    pub(crate) owner: Option<Owner>,
    pub(crate) columns: Vec<Column>,
    /// Columns in which two live rows may not be equal.
    pub(crate) keys: &'static [&'static [&'static str]],
    /// Flags that one live row of a scope carries.
    pub(crate) exclusive: &'static [Exclusive],
    /// Whether a row that is written must say that it is `dirty`, and when it was `updated_at`.
    pub(crate) says_dirty: bool,
    pub(crate) says_updated_at: bool,
    /// How likely it is to be chosen for an edit.
    pub(crate) weight: u64,
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Table {}

/// All tables, parents first. They stay for as long as the program runs: rows point at them.
pub(crate) fn tables(registry: &Registry, values: &Values) -> &'static [Table] {
    let tables: Vec<Table> = registry
        .tables()
        .iter()
        .map(|registered| table(registry, registered, values))
        .collect();
    Box::leak(tables.into_boxed_slice())
}

fn table(registry: &Registry, registered: &Registered, values: &Values) -> Table {
    let shape = registered.shape;
    let facts = registered.table.columns();
    let fact = |name: &str| facts.iter().find(|fact| fact.name == name);
    let names = shape.columns().filter(|name| *name != DELETED_AT);
    let columns = names.filter_map(|name| column(registry, registered, fact(name)?, values));
    let number = |name| fact(name).is_some_and(|f| matches!(plain(&f.kind), Kind::Number(_)));
    Table {
        name: shape.table,
        id: shape.id,
        owner: shape.owner.map(|column| Owner {
            column,
            number: number(column),
        }),
        columns: columns.collect(),
        keys: shape.natural_keys,
        exclusive: shape.exclusive,
        says_dirty: fact("dirty").is_some_and(|fact| !fact.nullable),
        says_updated_at: fact("updated_at").is_some_and(|fact| !fact.nullable),
        weight: weight(registry, registered),
    }
}

/// Those with many rows more often than the few at the top.
fn weight(registry: &Registry, registered: &Registered) -> u64 {
    let other = |(table, _): &(&Registered, &Target)| table.shape.table != registered.shape.table;
    let has_children = registry
        .referring_to(registered.shape.table)
        .filter(other)
        .any(|(_, target)| target.parent);
    match (registered.shape.owner, has_children) {
        (Some(_), true) => 1,
        (_, true) => 3,
        _ => 5,
    }
}

fn column(
    registry: &Registry,
    registered: &Registered,
    fact: &Fact,
    values: &Values,
) -> Option<Column> {
    let (shape, name) = (registered.shape, fact.name);
    let register = shape.register_of(name)?;
    let target = registered.targets.iter().find(|t| t.column == name);
    let kind = match target {
        Some(target) => Kind::Key(registry.get(&target.table)?.shape.table),
        None => catalogue(registered, name).map_or_else(|| plain(&fact.kind), Kind::Lookup),
    };
    let role = role(shape, name, target, register);
    let unknown = kind == Kind::Other && !values.knows(shape.table, name);
    Some(Column {
        name,
        kind,
        role: if unknown || values.leaves(shape.table, name) {
            Role::Left
        } else {
            role
        },
        required: !fact.nullable,
        length: length(&fact.kind),
        group: shape.registers[register].name,
        on_delete: target.map(|target| target.on_delete),
    })
}

fn role(shape: &Shape, name: &str, target: Option<&Target>, register: usize) -> Role {
    let in_key = shape.natural_keys.iter().any(|key| key.contains(&name));
    match target {
        Some(target) if target.parent => Role::Parent,
        _ if in_key => Role::Name,
        Some(_) => Role::Link,
        _ if shape.exclusive.iter().any(|e| e.flag == name) => Role::Flag,
        _ if shape.registers[register].rule == Rule::ByValue => Role::ByValue(register),
        _ => Role::Free,
    }
}

fn catalogue(registered: &Registered, name: &str) -> Option<&'static Catalogue> {
    let number = registered
        .shape
        .lookups
        .iter()
        .position(|lookup| lookup.column == name)?;
    let (table, id) = registered.table.lookups().get(number)?.place();
    let key = registered.shape.lookups[number].key;
    Some(Box::leak(Box::new(Catalogue { table, id, key })))
}

fn plain(kind: &ColumnType) -> Kind {
    match kind {
        ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text => Kind::Text,
        ColumnType::TinyInteger | ColumnType::TinyUnsigned => Kind::Number(i8::MAX.into()),
        ColumnType::SmallInteger | ColumnType::SmallUnsigned => Kind::Number(i16::MAX.into()),
        ColumnType::Integer | ColumnType::Unsigned => Kind::Number(i32::MAX.into()),
        ColumnType::BigInteger | ColumnType::BigUnsigned => Kind::Number(i64::MAX),
        ColumnType::Float | ColumnType::Double => Kind::Real,
        ColumnType::Decimal(_) | ColumnType::Money(_) => Kind::Decimal,
        ColumnType::Boolean => Kind::Bool,
        ColumnType::DateTime | ColumnType::Timestamp | ColumnType::TimestampWithTimeZone => {
            Kind::Time
        }
        ColumnType::Date => Kind::Date,
        ColumnType::Time => Kind::Clock,
        ColumnType::Json | ColumnType::JsonBinary => Kind::Json,
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Kind::Blob,
        ColumnType::Uuid => Kind::Uuid,
        ColumnType::Enum { variants, .. } => {
            let words: Vec<String> = variants.iter().map(ToString::to_string).collect();
            Kind::Enum(Box::leak(words.into_boxed_slice()))
        }
        _ => Kind::Other,
    }
}

fn length(kind: &ColumnType) -> Option<u32> {
    match kind {
        ColumnType::Char(length) => *length,
        ColumnType::String(sea_orm::sea_query::StringLen::N(length)) => Some(*length),
        _ => None,
    }
}

impl Column {
    /// Whether the row goes when the one goes that it refers to.
    pub(crate) fn cascades(&self) -> bool {
        self.on_delete == Some(OnDelete::Cascade)
    }

    /// Whether what it refers to has to be live.
    pub(crate) fn binds(&self) -> bool {
        self.on_delete.is_some_and(|then| then != OnDelete::Nothing)
    }
}

impl Table {
    /// What merges as a unit: a name and the numbers of its columns.
    pub(crate) fn registers(&self) -> Vec<(&'static str, Vec<usize>)> {
        let mut registers: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (number, column) in self.columns.iter().enumerate() {
            match registers.iter_mut().find(|(name, _)| *name == column.group) {
                Some((_, columns)) => columns.push(number),
                None => registers.push((column.group, vec![number])),
            }
        }
        registers
    }

    /// The rows that it belongs to, or goes with: column numbers and tables.
    pub(crate) fn parents(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let parent = |(number, column): (usize, &Column)| match column.kind {
            Kind::Key(table) if column.role == Role::Parent || column.cascades() => {
                Some((number, table))
            }
            _ => None,
        };
        self.columns.iter().enumerate().filter_map(parent)
    }

    pub(crate) fn number(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    /// Why no new row of it can be made, if none can.
    pub(crate) fn unwritable(&self) -> Option<&'static str> {
        let needed = self
            .columns
            .iter()
            .find(|c| c.required && c.role == Role::Left);
        needed.map(|column| column.name)
    }
}
