//! A row with a register of each kind, written by hand: what the derive would make of five columns.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    clocks::{Clocks, Stamp},
    extremum::{by_function, greatest, least},
    merge::{Merged, merge},
    shape::{DELETED_AT, Register, Rule, Shape},
    wire::{Field, LookupRow, Millis, WireRow},
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Row {
    pub(super) name: Field<Option<i64>>,
    pub(super) position: Field<Option<i64>>,
    pub(super) duration: Field<Option<i64>>,
    pub(super) first: Field<Option<i64>>,
    pub(super) last: Field<Option<i64>>,
    pub(super) bits: Field<Option<i64>>,
    pub(super) deleted_at: Field<Option<Millis>>,
}

/// Numbers of the registers.
pub(super) const NAME: usize = 0;
pub(super) const PROGRESS: usize = 1;
pub(super) const FIRST: usize = 2;
pub(super) const LAST: usize = 3;
pub(super) const BITS: usize = 4;
pub(super) const DELETED: usize = 5;

const fn register(name: &'static str, columns: &'static [&'static str], rule: Rule) -> Register {
    Register {
        name,
        columns,
        rule,
        merge: "",
    }
}

pub(super) const SHAPE: Shape = Shape {
    table: "things",
    id: "id",
    owner: None,
    registers: &[
        register("name", &["name"], Rule::Latest),
        register("progress", &["position", "duration"], Rule::Latest),
        register("first", &["first"], Rule::ByValue),
        register("last", &["last"], Rule::ByValue),
        register("bits", &["bits"], Rule::ByValue),
        register(DELETED_AT, &[DELETED_AT], Rule::Latest),
    ],
    natural_keys: &[],
    alike: &[],
    references: &[],
    lookups: &[],
    exclusive: &[],
    local: &[],
};

/// An entity's own rule: every mark that anybody has set.
fn all_bits(one: &Option<i64>, other: &Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one | other),
        (one, other) => one.or(*other),
    }
}

impl WireRow for Row {
    fn has(&self, register: usize) -> bool {
        match register {
            NAME => !self.name.is_absent(),
            PROGRESS => !self.position.is_absent() && !self.duration.is_absent(),
            FIRST => !self.first.is_absent(),
            LAST => !self.last.is_absent(),
            BITS => !self.bits.is_absent(),
            _ => !self.deleted_at.is_absent(),
        }
    }

    fn same(&self, register: usize, other: &Self) -> bool {
        self.canonical(register) == other.canonical(register)
    }

    fn take(&mut self, register: usize, other: &Self) {
        let other = other.clone();
        match register {
            NAME => self.name = other.name,
            PROGRESS => (self.position, self.duration) = (other.position, other.duration),
            FIRST => self.first = other.first,
            LAST => self.last = other.last,
            BITS => self.bits = other.bits,
            _ => self.deleted_at = other.deleted_at,
        }
    }

    fn combine(&mut self, register: usize, other: &Self) {
        match register {
            FIRST => least(&mut self.first, &other.first),
            LAST => greatest(&mut self.last, &other.last),
            BITS => by_function::<Option<i64>>(&mut self.bits, &other.bits, all_bits),
            _ => {}
        }
    }

    fn canonical(&self, register: usize) -> String {
        let value = match register {
            NAME => json!(self.name.as_ref()),
            PROGRESS => json!([self.position.as_ref(), self.duration.as_ref()]),
            FIRST => json!(self.first.as_ref()),
            LAST => json!(self.last.as_ref()),
            BITS => json!(self.bits.as_ref()),
            _ => json!(self.deleted_at.as_ref()),
        };
        value.to_string()
    }

    fn column(&self, _: &str) -> Option<Value> {
        None
    }

    fn set_column(&mut self, _: &str, _: Value) -> bool {
        false
    }

    fn reference(&self, _: usize) -> &Field<Option<String>> {
        &Field::Absent
    }

    fn reference_mut(&mut self, _: usize) -> &mut Field<Option<String>> {
        unreachable!("this table refers to none")
    }

    fn lookup(&self, _: usize) -> &Field<Option<LookupRow>> {
        &Field::Absent
    }

    fn deleted_at(&self) -> Option<Millis> {
        *self.deleted_at.as_ref()?
    }

    fn set_deleted_at(&mut self, at: Option<Millis>) {
        self.deleted_at = Field::Present(at);
    }
}

/// A row as a replica has it: its values and when each was edited.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Replica {
    pub(super) row: Row,
    pub(super) clocks: Clocks,
}

impl Replica {
    /// One whose register `number` was edited to `value` at `at` by `device`, and the others never.
    pub(super) fn edited(number: usize, value: Option<i64>, at: i64, device: i64) -> Self {
        let mut clocks = Clocks::default();
        clocks.set(SHAPE.registers[number].name, Stamp::new(at, device, at));
        let mut row = Row {
            name: Field::Present(None),
            position: Field::Present(None),
            duration: Field::Present(None),
            first: Field::Present(None),
            last: Field::Present(None),
            bits: Field::Present(None),
            deleted_at: Field::Present(None),
        };
        row.set(number, value);
        Self { row, clocks }
    }

    /// What this replica holds once it has heard of all that another one holds.
    pub(super) fn meets(&self, other: &Self) -> Self {
        self.hears(other).0
    }

    /// The same, with what the merge says of it.
    pub(super) fn hears(&self, other: &Self) -> (Self, Merged) {
        let edits: Vec<(usize, Stamp)> = SHAPE
            .registers
            .iter()
            .enumerate()
            .map(|(number, register)| (number, other.clocks.get(register.name)))
            .collect();
        let mut met = self.clone();
        let merged = merge(&SHAPE, &mut met.row, &mut met.clocks, &other.row, &edits);
        (met, merged)
    }

    /// Values and times: what the laws are about.
    pub(super) fn holds(&self) -> Vec<(String, i64)> {
        let each = SHAPE.registers.iter().enumerate();
        each.map(|(number, register)| {
            (
                self.row.canonical(number),
                self.clocks.get(register.name).at(),
            )
        })
        .collect()
    }
}

impl Row {
    /// Gives the register a value; a group gets it in both of its columns.
    pub(super) fn set(&mut self, number: usize, value: Option<i64>) {
        let field = Field::Present(value);
        match number {
            NAME => self.name = field,
            PROGRESS => (self.position, self.duration) = (field.clone(), field),
            FIRST => self.first = field,
            LAST => self.last = field,
            BITS => self.bits = field,
            _ => self.deleted_at = Field::Present(value.map(Millis)),
        }
    }
}
