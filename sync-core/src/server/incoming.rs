//! One pushed row, read and checked.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use unicode_normalization::UnicodeNormalization;

use super::{cursor::Pulled, push::rejected, unsuitable::unsuitable};
use crate::{
    clocks::{Clocks, Stamp, Timekeeper},
    ids::is_canonical,
    planted::{Bug, planted},
    protocol::{PushRow, Verdict, name_in},
    shape::{DELETED_AT, EVERY_REGISTER, Shape},
    wire::{Millis, WireRow},
};

/// A pushed row whose names and columns are all known.
#[derive(Clone, Debug)]
pub(super) struct Incoming<W> {
    /// Where it stands in its table's part of the request.
    pub(super) position: usize,
    /// The name it was pushed by.
    pub(super) pushed_as: String,
    /// The name it has here, aliases followed.
    pub(super) remote_id: String,
    /// The server's number of the device.
    pub(super) device: i64,
    pub(super) edits: Vec<Edit>,
    /// Whether the device sent all it has: a row it thinks new.
    pub(super) whole: bool,
    /// When, if it did.
    pub(super) since: i64,
    /// Whether the row's deletion has another time here than on the device.
    pub(super) deletion_shifted: bool,
    /// Whether the row's keys were brought to their normal form.
    pub(super) normalised: bool,
    pub(super) row: W,
}

/// One register's edit, as the device tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// The register's number.
    pub(super) register: usize,
    /// The device's time of the last edit.
    pub(super) at: i64,
    /// The position in the feed up to which the device had seen everything when it first edited the register.
    pub(super) seen: i64,
}

/// What it takes to read a pushed row.
pub(super) struct Reading<'a> {
    pub(super) keeper: &'a Timekeeper,
    pub(super) pulled: &'a Pulled,
    /// Most bytes of one row.
    pub(super) row_bytes: usize,
}

/// Reads a pushed row.
///
/// # Errors
/// The verdict that rejects it.
pub(super) fn parse<W: WireRow>(
    shape: &Shape,
    reading: &Reading<'_>,
    position: usize,
    raw: &RawValue,
) -> Result<Incoming<W>, Box<Verdict>> {
    let reject = |code: &str, field: Option<&str>, message: String| {
        Err(Box::new(rejected(&name_in(raw), code, field, message)))
    };
    let row_bytes = reading.row_bytes;
    if raw.get().len() > row_bytes {
        return reject(
            "row_too_large",
            None,
            format!("a row may have at most {row_bytes} bytes"),
        );
    }
    let mut unknown = None;
    let mut json = serde_json::Deserializer::from_str(raw.get());
    let read: Result<PushRow<W>, _> = serde_ignored::deserialize(&mut json, |path| {
        unknown.get_or_insert(path.to_string());
    });
    let row = match read {
        Ok(row) => row,
        Err(error) => {
            let (code, column) = fault::<W>(shape, raw);
            return reject(code, column, format!("this row cannot be read: {error}"));
        }
    };
    if let Some(path) = unknown {
        let column: String = path.trim_start_matches("row.").chars().take(64).collect();
        return reject(
            "unknown_column",
            Some(&column),
            "the server does not have this column; update the server".to_owned(),
        );
    }
    if !is_canonical(&row.remote_id) {
        return reject(
            "invalid_id",
            None,
            "a row's name is a UUID in lower case".to_owned(),
        );
    }
    if let Err((code, field, message)) = check_changed(shape, &row) {
        return reject(code, Some(&field), message);
    }
    let incoming = incoming(shape, reading, position, row);
    match unsuitable(shape, &incoming.row, raw.get()) {
        Some((code, column, message)) => reject(code, Some(column), message),
        None => Ok(incoming),
    }
}

/// Which column of a row that cannot be read is at fault, and how: each is read alone.
fn fault<W: WireRow>(shape: &Shape, raw: &RawValue) -> (&'static str, Option<&'static str>) {
    #[derive(serde::Deserialize)]
    struct Loose {
        row: serde_json::Map<String, serde_json::Value>,
    }
    let Ok(Loose { row }) = serde_json::from_str(raw.get()) else {
        return ("invalid_row", None);
    };
    for column in shape.columns() {
        let Some(value) = row.get(column) else {
            continue;
        };
        let alone = [(column.to_owned(), value.clone())].into_iter().collect();
        let Err(error) = serde_json::from_value::<W>(serde_json::Value::Object(alone)) else {
            continue;
        };
        let code = match value {
            serde_json::Value::Null => "required",
            _ if is_date(&error.to_string()) => "invalid_date",
            serde_json::Value::Number(_) if error.to_string().starts_with("invalid value") => {
                "out_of_range"
            }
            _ => "invalid_value",
        };
        return (code, Some(column));
    }
    ("invalid_row", None)
}

fn is_date(error: &str) -> bool {
    error.contains("invalid date") || error.contains("expected a date")
}

type Fault = (&'static str, String, String);

fn check_changed<W: WireRow>(shape: &Shape, row: &PushRow<W>) -> Result<(), Fault> {
    for name in row.changed.keys().filter(|name| *name != EVERY_REGISTER) {
        let Some(register) = shape.register(name) else {
            return Err((
                "unknown_column",
                name.clone(),
                "the server does not have this column; update the server".into(),
            ));
        };
        if !row.row.has(register) {
            return Err((
                "required",
                name.clone(),
                "the column is said to have changed, but is not there".into(),
            ));
        }
    }
    Ok(())
}

fn incoming<W: WireRow>(
    shape: &Shape,
    reading: &Reading<'_>,
    position: usize,
    row: PushRow<W>,
) -> Incoming<W> {
    let keeper = reading.keeper;
    let mut row = row;
    if planted(Bug::MissingIsNull) {
        miss(shape, &mut row);
    }
    let every = row.changed.get(EVERY_REGISTER).copied();
    let edits = shape
        .registers
        .iter()
        .enumerate()
        .filter_map(|(number, register)| {
            let own = row.changed.get(register.name).copied();
            row.row.has(number).then_some(Edit {
                register: number,
                at: own.or(every)?,
                seen: seen(reading.pulled, &row.cursors, own.map(|_| register.name)),
            })
        });
    let edits = edits.collect();
    let PushRow {
        remote_id, mut row, ..
    } = row;
    let said = row.deleted_at();
    if let Some(at) = said {
        row.set_deleted_at(Some(Millis(keeper.deletion_time(at.0))));
    }
    let normalised = normalise_keys(shape, &mut row);
    Incoming {
        normalised,
        device: keeper.device(),
        position,
        pushed_as: remote_id.clone(),
        remote_id,
        edits,
        whole: every.is_some(),
        since: every.unwrap_or_default(),
        deletion_shifted: row.deleted_at() != said,
        row,
    }
}

/// How far the device had pulled when it edited a register, or the row as a whole: a new row was made on
/// nothing.
fn seen(pulled: &Pulled, cursors: &BTreeMap<String, String>, register: Option<&str>) -> i64 {
    let cursor = cursors.get(register.unwrap_or(EVERY_REGISTER));
    let otherwise = register.map_or(0, |_| pulled.seq);
    cursor.map_or(otherwise, |cursor| pulled.at(cursor))
}

fn miss<W: WireRow>(shape: &Shape, row: &mut PushRow<W>) {
    let edited_at = row.changed.values().max().copied().unwrap_or_default();
    for (number, register) in shape.registers.iter().enumerate() {
        if row.row.has(number) || register.name == DELETED_AT {
            continue;
        }
        let mut is_null = true;
        for column in register.columns {
            is_null &= row.row.set_column(column, serde_json::Value::Null);
        }
        if is_null {
            row.changed.insert(register.name.to_owned(), edited_at);
        }
    }
}

/// Two ways to write one name are one key: composed characters, and no blanks at the end.
fn normalise_keys<W: WireRow>(shape: &Shape, row: &mut W) -> bool {
    let mut changed = false;
    for column in shape.natural_keys.iter().flat_map(|key| key.iter()) {
        if let Some(serde_json::Value::String(text)) = row.column(column) {
            let normal: String = text.trim_end().nfc().collect();
            changed |= normal != text && row.set_column(column, normal.into());
        }
    }
    changed
}

impl<W: WireRow> Incoming<W> {
    /// Says nothing about the deletion any more: it is that of the row which this one is merged into.
    pub(super) fn leave_deleted(&mut self, shape: &Shape, deleted_at: Option<i64>) {
        let register = shape.deleted_register();
        self.edits.retain(|edit| edit.register != register);
        self.row.set_deleted_at(deleted_at.map(Millis));
    }

    /// The edits with their stamps, on top of what the server has.
    pub(super) fn stamped(
        &self,
        shape: &Shape,
        keeper: &Timekeeper,
        clocks: &Clocks,
    ) -> Vec<(usize, Stamp)> {
        let stamp = |edit: &Edit| {
            let current = clocks.get(shape.registers[edit.register].name);
            let stamp = match current.position() <= edit.seen {
                true => keeper.stamp_over(current, edit.at),
                false => keeper.restamp(current, edit.at)?,
            };
            Some((edit.register, stamp))
        };
        self.edits.iter().filter_map(stamp).collect()
    }

    /// The clocks of a row the server has not seen before.
    pub(super) fn first_clocks(&self, shape: &Shape, keeper: &Timekeeper) -> Clocks {
        let mut clocks = Clocks::all(keeper.stamp(self.since));
        for edit in &self.edits {
            let register = shape.registers[edit.register].name;
            clocks.set(register, keeper.stamp(edit.at));
        }
        clocks
    }
}
