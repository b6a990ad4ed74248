//! The merge: one pure function for every table, register by register.
//!
//! A row is a map of registers, each with the stamp of its last edit. Merging is commutative,
//! associative and idempotent, so that the order in which edits arrive, and how often, does not show.

use std::cmp::Ordering;

use crate::{
    clocks::{Clocks, Stamp},
    planted::{Bug, planted},
    shape::{Register, Rule, Shape},
    wire::WireRow,
};

/// What a merge did to the current row, by register number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Registers whose value changed.
    pub changed: Vec<usize>,
    /// Registers whose incoming value did not become the row's value.
    pub beaten: Vec<usize>,
    /// Whether any stamp moved, with or without its value.
    pub restamped: bool,
}

/// Merges edits of a peer into a row: `edits` names the registers of `incoming` that were edited.
///
/// Registers that `incoming` lacks, wholly or in part, are left as they are.
pub fn merge<W: WireRow>(
    shape: &Shape,
    current: &mut W,
    clocks: &mut Clocks,
    incoming: &W,
    edits: &[(usize, Stamp)],
) -> Merged {
    let mut merged = Merged::default();
    for &(number, stamp) in edits {
        let Some(register) = shape.registers.get(number) else {
            continue;
        };
        if incoming.has(number) {
            merge_register(
                register,
                number,
                current,
                clocks,
                incoming,
                stamp,
                &mut merged,
            );
        }
    }
    merged
}

fn merge_register<W: WireRow>(
    register: &Register,
    number: usize,
    current: &mut W,
    clocks: &mut Clocks,
    incoming: &W,
    stamp: Stamp,
    merged: &mut Merged,
) {
    let same = current.same(number, incoming);
    let mine = clocks.get(register.name);
    let order = stamp.at().cmp(&mine.at());
    match register.rule {
        Rule::ByValue if !same => combine(number, current, incoming, merged),
        Rule::ByValue => {}
        Rule::Latest if same => {}
        Rule::Latest => {
            let by_value = || incoming.canonical(number).cmp(&current.canonical(number));
            let by_device = || planted(Bug::TieByDevice).then(|| mine.1.cmp(&stamp.1));
            let tie = || by_device().unwrap_or_else(by_value);
            if order.then_with(tie) == Ordering::Greater {
                current.take(number, incoming);
                merged.changed.push(number);
                clocks.set(register.name, stamp);
                merged.restamped = true;
            } else {
                merged.beaten.push(number);
            }
        }
    }
    if order == Ordering::Greater && clocks.get(register.name) == mine {
        // What one had seen has only got another time.
        let position = if same { mine.position() } else { 0 };
        clocks.set(register.name, stamp.at_position(position));
        merged.restamped = true;
    }
}

fn combine<W: WireRow>(number: usize, current: &mut W, incoming: &W, merged: &mut Merged) {
    let before = current.clone();
    current.combine(number, incoming);
    if !current.same(number, &before) {
        merged.changed.push(number);
    }
    if !current.same(number, incoming) {
        merged.beaten.push(number);
    }
}

#[cfg(test)]
mod tests;
