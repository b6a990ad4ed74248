//! What SeaORM knows of an entity's columns, for whoever describes or tests them.

use sea_orm::{ColumnTrait, ColumnType, IdenStatic, Iterable};

use crate::syncable::Syncable;

/// A column as SeaORM has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// The entity's columns, in their order.
pub(crate) fn columns<E: Syncable>() -> Vec<Fact> {
    let fact = |column: E::Column| {
        let def = column.def();
        Fact {
            name: column.as_str(),
            kind: def.get_column_type().clone(),
            nullable: def.is_null(),
        }
    };
    <E::Column as Iterable>::iter().map(fact).collect()
}
