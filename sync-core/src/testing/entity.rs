//! What the kit asks an entity beyond what the engines do.

use sea_orm::{ColumnTrait, IdenStatic, Iterable};
use serde_json::{Value as Json, json};

use super::tables::Fact;
use crate::{syncable::Syncable, wire::WireRow};

/// The entity's columns as SeaORM has them.
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

/// What the entity's own rule makes of two values of a column; none where it cannot hold one of them.
pub(crate) fn combine<E: Syncable>(register: usize, one: &Json, other: &Json) -> Option<Json> {
    let column = E::SHAPE.registers[register].columns.first()?;
    let row = |value: &Json| serde_json::from_value::<E::Wire>(json!({ *column: value })).ok();
    let (mut one, other) = (row(one)?, row(other)?);
    one.combine(register, &other);
    one.column(column)
}
