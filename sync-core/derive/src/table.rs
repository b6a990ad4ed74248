//! A valid entity, put in the order in which code is generated from it.

use syn::{LitStr, Path};

use crate::{
    ast::{Column, Input, KEPT, Kind},
    attr::{Link, Merge},
};

/// Everything the generated code needs.
pub(crate) struct Table<'a> {
    pub(crate) input: &'a Input,
    pub(crate) id: &'a Column,
    pub(crate) remote_id: &'a Column,
    pub(crate) dirty: &'a Column,
    pub(crate) updated_at: &'a Column,
    pub(crate) deleted_at: &'a Column,
    pub(crate) owner: Option<&'a Column>,
    /// In declaration order; a group stands where its first field stands, `deleted_at` is the last.
    pub(crate) registers: Vec<Register<'a>>,
    pub(crate) references: Vec<&'a Column>,
    pub(crate) lookups: Vec<Lookup<'a>>,
}

/// What merges as a unit.
pub(crate) struct Register<'a> {
    pub(crate) name: String,
    pub(crate) columns: Vec<Travelling<'a>>,
}

/// A column that travels.
#[derive(Clone, Copy)]
pub(crate) struct Travelling<'a> {
    pub(crate) column: &'a Column,
    pub(crate) how: How<'a>,
}

/// What stands on the wire for a column.
#[derive(Clone, Copy)]
pub(crate) enum How<'a> {
    /// Its own value.
    Value,
    /// The referred row's remote id; with the reference's number.
    Reference(usize),
    /// The referred row; with the lookup's number and key.
    Lookup(usize, &'a LitStr),
    /// The time of deletion.
    DeletedAt,
}

/// A foreign key to a table that is not synced.
pub(crate) struct Lookup<'a> {
    pub(crate) column: &'a Column,
    pub(crate) entity: &'a Path,
    pub(crate) key: &'a LitStr,
}

impl<'a> Table<'a> {
    /// `None` if a column is missing that every synced table has.
    pub(crate) fn new(input: &'a Input) -> Option<Self> {
        let kind = |kind| input.columns.iter().find(move |column| column.kind == kind);
        let kept = |name| kind(Kind::Kept(KEPT.iter().position(|(kept, _)| *kept == name)?));
        let mut table = Self {
            input,
            id: kind(Kind::Key)?,
            remote_id: kept("remote_id")?,
            dirty: kept("dirty")?,
            updated_at: kept("updated_at")?,
            deleted_at: kept("deleted_at")?,
            owner: input.columns.iter().find(|column| column.is_owner()),
            registers: Vec::new(),
            references: Vec::new(),
            lookups: Vec::new(),
        };
        input
            .columns
            .iter()
            .filter(|column| column.is_register())
            .for_each(|column| table.add(column));
        let deleted = Travelling {
            column: table.deleted_at,
            how: How::DeletedAt,
        };
        table.registers.push(Register {
            name: deleted.column.name.clone(),
            columns: vec![deleted],
        });
        Some(table)
    }

    fn add(&mut self, column: &'a Column) {
        let how = self.number(column);
        let name = column
            .attrs
            .group
            .as_ref()
            .map_or_else(|| column.name.clone(), LitStr::value);
        let travelling = Travelling { column, how };
        match self
            .registers
            .iter_mut()
            .find(|register| register.name == name)
        {
            Some(group) => group.columns.push(travelling),
            None => self.registers.push(Register {
                name,
                columns: vec![travelling],
            }),
        }
    }

    fn number(&mut self, column: &'a Column) -> How<'a> {
        match column.link() {
            Some(Link::Parent | Link::Reference) => {
                self.references.push(column);
                How::Reference(self.references.len() - 1)
            }
            Some(Link::Lookup { entity, key }) => {
                self.lookups.push(Lookup {
                    column,
                    entity,
                    key,
                });
                How::Lookup(self.lookups.len() - 1, key)
            }
            _ => How::Value,
        }
    }

    /// Every column that travels, register by register.
    pub(crate) fn travelling(&self) -> impl Iterator<Item = Travelling<'a>> + '_ {
        self.registers
            .iter()
            .flat_map(|register| register.columns.iter().copied())
    }
}

impl Register<'_> {
    pub(crate) fn merge(&self) -> &Merge {
        match self.columns.as_slice() {
            [only] => only.column.merge(),
            _ => &Merge::Latest,
        }
    }
}
