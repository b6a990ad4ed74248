//! What a row looks like between device and server: a patch, every column present or absent.
//!
//! The derive generates one wire struct an entity. Absent is not NULL: a peer that does not know a
//! column leaves it out, and what is stored for it stays.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

/// A column on the wire, present or absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field<T> {
    /// The sender says nothing about this column.
    #[default]
    Absent,
    /// The column's value; NULL is `Present(None)` of an optional column.
    Present(T),
}

impl<T> Field<T> {
    /// Whether the sender says nothing about this column.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if present.
    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent => None,
        }
    }

    /// The value, if present, leaving the field absent.
    pub fn take(&mut self) -> Option<T> {
        match std::mem::take(self) {
            Self::Present(value) => Some(value),
            Self::Absent => None,
        }
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Present)
    }
}

/// An instant in milliseconds since 1970 in UTC: the only precision that crosses the wire, because
/// SQLite keeps nanoseconds, Postgres microseconds, and a value that changes on its way would never settle.
///
/// Written as RFC 3339 with three fraction digits and `Z`, read with any offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// The instant as chrono has it; instants chrono cannot hold become the epoch.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

/// A column for the time of a row's last edit.
pub trait Stamped {
    /// What stands there after an edit at this time. Zero is what a row has of which nobody knows when it was
    /// edited, such as one from before its table had the column: nothing is said of it where NULL may stand.
    fn stamped(at: Millis) -> Self;
}

impl Stamped for DateTime<Utc> {
    fn stamped(at: Millis) -> Self {
        at.to_utc()
    }
}

impl Stamped for Option<DateTime<Utc>> {
    fn stamped(at: Millis) -> Self {
        (at.0 != 0).then(|| at.to_utc())
    }
}

impl From<DateTime<Utc>> for Millis {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DateVisitor)
    }
}

struct DateVisitor;

impl serde::de::Visitor<'_> for DateVisitor {
    type Value = Millis;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date as text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Millis, E> {
        let time = DateTime::parse_from_rfc3339(text)
            .map_err(|e| E::custom(format_args!("invalid date: {e}")))?;
        let millis = time.timestamp_millis();
        if !YEARS_1_TO_9999.contains(&millis) {
            return Err(E::custom("invalid date: outside the years 1 to 9999"));
        }
        Ok(Millis(millis))
    }
}

/// What both databases and RFC 3339 can write.
const YEARS_1_TO_9999: std::ops::Range<i64> = YEAR_1_MS..253_402_300_800_000;

/// The beginning of year 1.
pub(crate) const YEAR_1_MS: i64 = -62_135_596_800_000;

/// A row of a table that is not synced, named by its key and with what is needed to create it.
pub type LookupRow = BTreeMap<String, serde_json::Value>;

/// How a column's Rust type travels.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be synced",
    label = "no wire form is known for this column's type",
    note = "mark the column `#[sync(local)]`, or implement `sync_core::WireValue` for the type"
)]
pub trait WireValue: Sized {
    /// The form that is serialised.
    type Wire: Serialize + DeserializeOwned + Clone + fmt::Debug + PartialEq + Send + Sync + 'static;
    /// The value as it travels. Information that another database could not hold is dropped here.
    fn into_wire(self) -> Self::Wire;
    /// The column's value for a value that arrived; `None` if the column cannot hold it.
    fn from_wire(wire: Self::Wire) -> Option<Self>;
}

macro_rules! travels_as_it_is {
    ($($type:ty),*) => {$(
        impl WireValue for $type {
            type Wire = Self;
            fn into_wire(self) -> Self { self }
            fn from_wire(wire: Self) -> Option<Self> { Some(wire) }
        }
    )*};
}
travels_as_it_is!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    String,
    serde_json::Value
);

macro_rules! travels_if_finite {
    ($($type:ty),*) => {$(
        impl WireValue for $type {
            type Wire = Self;
            fn into_wire(self) -> Self { self }
            // Postgres stores NaN, SQLite makes it NULL: neither may depend on the other.
            fn from_wire(wire: Self) -> Option<Self> { wire.is_finite().then_some(wire) }
        }
    )*};
}
travels_if_finite!(f32, f64);

impl WireValue for DateTime<Utc> {
    type Wire = Millis;
    fn into_wire(self) -> Millis {
        self.into()
    }
    fn from_wire(wire: Millis) -> Option<Self> {
        DateTime::from_timestamp_millis(wire.0)
    }
}

impl WireValue for chrono::NaiveDate {
    type Wire = Self;
    fn into_wire(self) -> Self {
        self
    }
    fn from_wire(wire: Self) -> Option<Self> {
        Some(wire)
    }
}

impl WireValue for Vec<u8> {
    type Wire = String;
    fn into_wire(self) -> String {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(self)
    }
    fn from_wire(wire: String) -> Option<Self> {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.decode(wire).ok()
    }
}

impl<T: WireValue> WireValue for Option<T> {
    type Wire = Option<T::Wire>;
    fn into_wire(self) -> Self::Wire {
        self.map(T::into_wire)
    }
    fn from_wire(wire: Self::Wire) -> Option<Self> {
        match wire {
            Some(wire) => T::from_wire(wire).map(Some),
            None => Some(None),
        }
    }
}

/// The generated wire struct of an entity, by register.
///
/// Register numbers index [`Shape::registers`](crate::Shape); the last one is `deleted_at`.
pub trait WireRow:
    Serialize + DeserializeOwned + Clone + Default + PartialEq + fmt::Debug + Send + Sync + 'static
{
    /// Whether every column of the register is present.
    fn has(&self, register: usize) -> bool;
    /// Whether both hold the same value in the register.
    fn same(&self, register: usize, other: &Self) -> bool;
    /// Takes the register's present columns from `other`.
    fn take(&mut self, register: usize, other: &Self);
    /// Merges the register by its own rule (`min`, `max` or a function); nothing for `latest`.
    fn combine(&mut self, register: usize, other: &Self);
    /// The register's value as JSON text, equal on every replica that holds an equal value.
    fn canonical(&self, register: usize) -> String;
    /// One column's value as JSON, `None` if absent or no column of this row.
    fn column(&self, column: &str) -> Option<serde_json::Value>;
    /// Replaces one column's value; false if the value does not fit or there is no such column.
    fn set_column(&mut self, column: &str, value: serde_json::Value) -> bool;
    /// The remote id in the foreign key number `reference` of [`Shape::references`](crate::Shape).
    fn reference(&self, reference: usize) -> &Field<Option<String>>;
    /// The same, to be replaced.
    fn reference_mut(&mut self, reference: usize) -> &mut Field<Option<String>>;
    /// The row that lookup number `lookup` of [`Shape::lookups`](crate::Shape) names.
    fn lookup(&self, lookup: usize) -> &Field<Option<LookupRow>>;
    /// When the row was deleted, if the wire row says so.
    fn deleted_at(&self) -> Option<Millis>;
    /// Replaces the deletion time.
    fn set_deleted_at(&mut self, at: Option<Millis>);
}
