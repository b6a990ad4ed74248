//! The synced tables of a database, parents first.

use std::{collections::HashSet, sync::Arc};

use sea_orm::{
    IdenStatic, Identity, Iterable, RelationDef, RelationTrait, sea_query::ForeignKeyAction,
};

use crate::{
    fact::Fact,
    schema::Retired,
    shape::{Reference, Shape},
    syncable::Syncable,
    table::{SyncTable, Table},
};

/// The synced tables, in an order in which every row's parents come before it.
#[derive(Clone)]
pub struct Registry {
    tables: Arc<[Registered]>,
    retired: Arc<[Retired]>,
}

/// One synced table: what its attributes say, and what SeaORM knows of its foreign keys.
#[derive(Clone)]
pub struct Registered {
    /// What the attributes say.
    pub shape: &'static Shape,
    /// Where the shape's references lead, in its order.
    pub targets: Vec<Target>,
    relations: Vec<(Option<String>, String)>,
    pub(crate) table: Arc<dyn SyncTable>,
}

impl Registered {
    /// The columns as SeaORM has them.
    pub fn columns(&self) -> Vec<Fact> {
        self.table.columns()
    }
}

/// Where a foreign key leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The foreign key's column.
    pub column: &'static str,
    /// The table it refers to.
    pub table: String,
    /// That table's primary key.
    pub id: String,
    /// Whether a row belongs to the row it refers to.
    pub parent: bool,
    /// Whether the column may be NULL.
    pub nullable: bool,
    /// What happens to a row when the one it refers to is deleted.
    pub on_delete: OnDelete,
}

/// What happens to a row when the one it refers to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// Its foreign key becomes NULL.
    SetNull,
    /// Nothing.
    Nothing,
}

/// Why a set of entities cannot be synced. Found when the registry is built, so in every test run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The entity was added twice.
    #[error("table `{0}` is registered twice")]
    Twice(&'static str),
    /// A column named by an attribute is none of the entity's.
    #[error("`{table}` has no column `{column}`, which its sync attributes name")]
    UnknownColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// An attribute says foreign key, SeaORM knows of none.
    #[error(
        "`{table}.{column}` is marked as a foreign key, but the entity has no `belongs_to` relation from it"
    )]
    NoRelation {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A foreign key to a synced table that no attribute mentions: its integers mean nothing elsewhere.
    #[error(
        "`{table}.{column}` refers to the synced table `{target}`: mark it `#[sync(parent)]` or `#[sync(reference)]`"
    )]
    UnmarkedReference {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The synced table it refers to.
        target: String,
    },
    /// A foreign key to a table that is not registered.
    #[error(
        "`{table}.{column}` refers to `{target}`, which is not registered: register it, or mark the column `#[sync(lookup(..))]`"
    )]
    UnknownTarget {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The table it refers to.
        target: String,
    },
    /// No row of the table can be given to an account.
    #[error(
        "no owner can be reached from `{0}`: it has no `#[sync(owner)]` column and none of its parents leads to one"
    )]
    NoOwner(&'static str),
    /// Tables refer to each other in a circle.
    #[error("the foreign keys of `{0}` lead in a circle")]
    Circle(&'static str),
}

/// Collects entities for a [`Registry`].
#[derive(Default)]
pub struct RegistryBuilder {
    entries: Vec<Entry>,
    retired: Vec<Retired>,
}

struct Entry {
    shape: &'static Shape,
    columns: Vec<&'static str>,
    relations: Vec<RelationDef>,
    make: Box<dyn FnOnce(Vec<Target>) -> Arc<dyn SyncTable>>,
}

impl Registry {
    /// Starts an empty registry.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// The tables, parents first.
    pub fn tables(&self) -> &[Registered] {
        &self.tables
    }

    /// The table with this name.
    pub fn get(&self, table: &str) -> Option<&Registered> {
        self.tables.iter().find(|t| t.shape.table == table)
    }

    /// What earlier versions synced and this one does not any more.
    pub(crate) fn retired(&self) -> &[Retired] {
        &self.retired
    }

    /// Whether this column, or for none the table, is not synced any more.
    pub(crate) fn is_retired(&self, table: &str, column: Option<&str>) -> bool {
        self.retired.iter().any(|retired| retired.is(table, column))
    }

    /// The tables and foreign keys that refer to `table`.
    pub fn referring_to<'a>(
        &'a self,
        table: &'a str,
    ) -> impl Iterator<Item = (&'a Registered, &'a Target)> {
        self.tables.iter().flat_map(move |t| {
            t.targets
                .iter()
                .filter(move |r| r.table == table)
                .map(move |r| (t, r))
        })
    }
}

impl RegistryBuilder {
    /// Adds an entity. The order does not matter.
    #[must_use]
    pub fn table<E: Syncable>(mut self) -> Self {
        self.entries.push(Entry::of::<E>());
        self
    }

    /// Adds the entities of another registry's builder.
    #[must_use]
    pub fn with(mut self, other: RegistryBuilder) -> Self {
        self.entries.extend(other.entries);
        self.retired.extend(other.retired);
        self
    }

    /// Says that a column which an earlier version synced is not synced any more, on purpose, although it is
    /// still in the table. Without that a device takes this program for an older one and does not sync.
    ///
    /// It need not be said of a column that a migration drops or that is now marked `#[sync(local)]`.
    #[must_use]
    pub fn retired_column(mut self, table: &'static str, column: &'static str) -> Self {
        let column = Some(column);
        self.retired.push(Retired { table, column });
        self
    }

    /// The same of a whole table that is still in the database.
    #[must_use]
    pub fn retired_table(mut self, table: &'static str) -> Self {
        let column = None;
        self.retired.push(Retired { table, column });
        self
    }

    /// Checks the whole and orders it.
    ///
    /// # Errors
    /// The first thing that cannot be synced.
    pub fn build(self) -> Result<Registry, RegistryError> {
        let mut names = HashSet::new();
        for entry in &self.entries {
            if !names.insert(entry.shape.table) {
                return Err(RegistryError::Twice(entry.shape.table));
            }
        }
        let tables: Vec<Registered> = self
            .entries
            .into_iter()
            .map(Entry::register)
            .collect::<Result<_, _>>()?;
        for registered in &tables {
            check_targets(registered, &names)?;
        }
        check_owners(&tables)?;
        Ok(Registry {
            tables: parents_first(tables)?.into(),
            retired: self.retired.into(),
        })
    }
}

impl Entry {
    fn of<E: Syncable>() -> Self {
        Self {
            shape: &E::SHAPE,
            columns: E::Column::iter().map(|c| c.as_str()).collect(),
            relations: E::Relation::iter()
                .map(|r| r.def())
                .filter(|def| !def.is_owner)
                .collect(),
            make: Box::new(|targets| Arc::new(Table::<E>::new(targets))),
        }
    }

    fn check_columns(&self) -> Result<(), RegistryError> {
        let shape = self.shape;
        let named = shape
            .columns()
            .chain([shape.id])
            .chain(shape.owner)
            .chain(shape.exclusive.iter().map(|e| e.per));
        let keys = shape
            .natural_keys
            .iter()
            .flat_map(|key| key.iter().copied());
        match named
            .chain(keys)
            .chain(shape.alike.iter().copied())
            .find(|column| !self.columns.contains(column))
        {
            Some(column) => Err(RegistryError::UnknownColumn {
                table: shape.table,
                column,
            }),
            None => Ok(()),
        }
    }

    fn register(self) -> Result<Registered, RegistryError> {
        self.check_columns()?;
        let targets: Vec<Target> = self
            .shape
            .references
            .iter()
            .map(|r| self.target(r))
            .collect::<Result<_, _>>()?;
        let relations = self
            .relations
            .iter()
            .map(|def| (column(&def.from_col), table(def)))
            .collect();
        let handler = (self.make)(targets.clone());
        Ok(Registered {
            shape: self.shape,
            targets,
            relations,
            table: handler,
        })
    }

    fn target(&self, reference: &Reference) -> Result<Target, RegistryError> {
        let no_relation = RegistryError::NoRelation {
            table: self.shape.table,
            column: reference.column,
        };
        let relation = self
            .relations
            .iter()
            .find(|def| column(&def.from_col).as_deref() == Some(reference.column));
        let Some((relation, id)) = relation.and_then(|def| Some((def, column(&def.to_col)?)))
        else {
            return Err(no_relation);
        };
        let on_delete = match relation.on_delete {
            Some(ForeignKeyAction::SetNull) => OnDelete::SetNull,
            Some(ForeignKeyAction::Cascade) => OnDelete::Cascade,
            // A child whose parent is gone is nobody's: it goes too.
            _ if reference.parent => OnDelete::Cascade,
            _ => OnDelete::Nothing,
        };
        let Reference {
            column,
            parent,
            nullable,
        } = *reference;
        Ok(Target {
            column,
            table: table(relation),
            id,
            parent,
            nullable,
            on_delete,
        })
    }
}

impl Registered {
    /// One entity without its neighbours: enough to install its capture.
    pub(crate) fn alone<E: Syncable>() -> Result<Self, RegistryError> {
        Entry::of::<E>().register()
    }
}

fn check_targets(
    registered: &Registered,
    names: &HashSet<&'static str>,
) -> Result<(), RegistryError> {
    let table = registered.shape.table;
    if let Some(target) = registered
        .targets
        .iter()
        .find(|t| !names.contains(t.table.as_str()))
    {
        return Err(RegistryError::UnknownTarget {
            table,
            column: target.column,
            target: target.table.clone(),
        });
    }
    let marked = |column: &str| registered.targets.iter().any(|t| t.column == column);
    for (column, target) in &registered.relations {
        let column = column.clone().unwrap_or_default();
        if names.contains(target.as_str()) && !marked(&column) {
            return Err(RegistryError::UnmarkedReference {
                table,
                column,
                target: target.clone(),
            });
        }
    }
    Ok(())
}

fn table(def: &RelationDef) -> String {
    def.to_tbl.sea_orm_table().to_string()
}

fn column(identity: &Identity) -> Option<String> {
    match identity {
        Identity::Unary(column) => Some(column.to_string()),
        _ => None,
    }
}

fn check_owners(tables: &[Registered]) -> Result<(), RegistryError> {
    let mut owned: Vec<&str> = tables
        .iter()
        .filter(|t| t.shape.owner.is_some())
        .map(|t| t.shape.table)
        .collect();
    loop {
        let more: Vec<&str> = tables
            .iter()
            .filter(|t| !owned.contains(&t.shape.table))
            .filter(|t| {
                t.targets
                    .iter()
                    .any(|r| r.parent && owned.contains(&r.table.as_str()))
            })
            .map(|t| t.shape.table)
            .collect();
        if more.is_empty() {
            break;
        }
        owned.extend(more);
    }
    match tables.iter().find(|t| !owned.contains(&t.shape.table)) {
        Some(table) => Err(RegistryError::NoOwner(table.shape.table)),
        None => Ok(()),
    }
}

fn parents_first(mut rest: Vec<Registered>) -> Result<Vec<Registered>, RegistryError> {
    let mut ordered: Vec<Registered> = Vec::with_capacity(rest.len());
    while let Some(first) = rest.first() {
        let circle = RegistryError::Circle(first.shape.table);
        let ready = |t: &Registered| {
            let waits = |r: &Target| {
                r.table != t.shape.table
                    && rest
                        .iter()
                        .any(|other| other.shape.table == r.table.as_str())
            };
            !t.targets.iter().any(waits)
        };
        let next = rest.iter().position(ready).ok_or(circle)?;
        ordered.push(rest.remove(next));
    }
    Ok(ordered)
}
