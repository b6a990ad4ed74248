//! What the kit asks an entity beyond what the engines do.

use serde_json::{Value as Json, json};

use crate::{syncable::Syncable, wire::WireRow};

/// What the entity's own rule makes of two values of a column; none where it cannot hold one of them.
pub(crate) fn combine<E: Syncable>(register: usize, one: &Json, other: &Json) -> Option<Json> {
    let column = E::SHAPE.registers[register].columns.first()?;
    let row = |value: &Json| serde_json::from_value::<E::Wire>(json!({ *column: value })).ok();
    let (mut one, other) = (row(one)?, row(other)?);
    one.combine(register, &other);
    one.column(column)
}
