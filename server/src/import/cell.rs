//! One value on its way from SQLite, where a column may hold anything, to Postgres, where it has a type.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use sha2::{Digest, Sha256};

/// What a column of the target holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Real,
    Bool,
    Time,
}

/// A value as SQLite stores it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob,
}

/// A value as the target has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Integer(i64),
    Real(f64),
    Bool(bool),
    /// Microseconds since 1970.
    Time(i64),
}

/// A value that its column cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unfit;

/// Numbers from here on are milliseconds, below seconds: the year 5138, or a day of 1973.
const MILLISECONDS: i64 = 100_000_000_000;

impl Kind {
    /// For a type as Postgres' `information_schema` names it.
    pub(super) fn of(data_type: &str) -> Option<Self> {
        Some(match data_type {
            "text" | "character varying" => Self::Text,
            "bigint" | "integer" | "smallint" => Self::Integer,
            "double precision" | "real" => Self::Real,
            "boolean" => Self::Bool,
            "timestamp with time zone" => Self::Time,
            _ => return None,
        })
    }

    /// The type to write it as.
    pub(super) fn sql_type(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Real => "double precision",
            Self::Bool => "boolean",
            Self::Time => "timestamptz",
        }
    }

    /// An expression that tells a column of Postgres as [`Cell::read_back`] reads it.
    pub(super) fn read_sql(self, column: &str) -> String {
        match self {
            Self::Time => format!("(extract(epoch FROM {column}) * 1000000)::bigint::text"),
            _ => format!("{column}::text"),
        }
    }

    /// What SQLite stores, as the target is to have it; whether something had to be left out of it.
    pub(super) fn cell(self, raw: Raw) -> Result<(Cell, bool), Unfit> {
        let cell = match (self, raw) {
            (_, Raw::Null) => Cell::Null,
            (Self::Text, Raw::Text(bytes)) => return Ok(text(&bytes)),
            (Self::Text, Raw::Integer(number)) => Cell::Text(number.to_string()),
            (Self::Text, Raw::Real(number)) => Cell::Text(number.to_string()),
            (Self::Integer, Raw::Integer(number)) => Cell::Integer(number),
            (Self::Integer, Raw::Text(bytes)) => Cell::Integer(parsed(&bytes)?),
            (Self::Real, Raw::Real(number)) => Cell::Real(number),
            #[expect(clippy::cast_precision_loss, reason = "as SQLite itself does it")]
            (Self::Real, Raw::Integer(number)) => Cell::Real(number as f64),
            (Self::Real, Raw::Text(bytes)) => Cell::Real(parsed(&bytes)?),
            (Self::Bool, Raw::Integer(number)) => Cell::Bool(number != 0),
            (Self::Bool, Raw::Text(bytes)) => Cell::Bool(truth(&bytes)?),
            (Self::Time, Raw::Text(bytes)) => Cell::Time(time(&bytes)?),
            (Self::Time, Raw::Integer(number)) => Cell::Time(counted(number)?),
            _ => return Err(Unfit),
        };
        Ok((cell, false))
    }
}

impl Cell {
    /// As Postgres reads it.
    pub(super) fn text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Real(number) if number.is_infinite() => {
                let infinite = if *number > 0.0 {
                    "Infinity"
                } else {
                    "-Infinity"
                };
                infinite.to_owned()
            }
            Self::Real(number) => format!("{number:?}"),
            Self::Bool(flag) => flag.to_string(),
            Self::Time(micros) => DateTime::from_timestamp_micros(*micros)?.to_rfc3339(),
        })
    }

    /// What Postgres has told of a column.
    pub(super) fn read_back(kind: Kind, text: Option<String>) -> Result<Self, Unfit> {
        let Some(text) = text else {
            return Ok(Self::Null);
        };
        let bytes = text.as_bytes();
        Ok(match kind {
            Kind::Integer => Self::Integer(parsed(bytes)?),
            Kind::Real => Self::Real(parsed(bytes)?),
            Kind::Bool => Self::Bool(truth(bytes)?),
            Kind::Time => Self::Time(parsed(bytes)?),
            Kind::Text => Self::Text(text),
        })
    }

    fn hash(&self, hasher: &mut Sha256) {
        let (tag, bytes): (u8, &[u8]) = match self {
            Self::Null => (0, &[]),
            Self::Text(text) => (1, text.as_bytes()),
            Self::Integer(number) => (2, &number.to_be_bytes()),
            Self::Real(number) => (3, &number.to_bits().to_be_bytes()),
            Self::Bool(flag) => (4, &[u8::from(*flag)]),
            Self::Time(micros) => (5, &micros.to_be_bytes()),
        };
        hasher.update([tag]);
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    }
}

/// How many rows, and the sum of their hashes: the same in whatever order they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    sum: u128,
}

impl Sum {
    pub(super) fn add(&mut self, row: &[Cell]) {
        let mut hasher = Sha256::new();
        row.iter().for_each(|cell| cell.hash(&mut hasher));
        let digest = hasher.finalize();
        let half = digest.iter().take(16);
        let hash = half.fold(0_u128, |hash, byte| hash << 8 | u128::from(*byte));
        self.rows += 1;
        self.sum = self.sum.wrapping_add(hash);
    }

    /// The sum alone.
    pub(super) fn text(&self) -> String {
        format!("{:032x}", self.sum)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} rows with checksum {}",
            self.rows,
            self.text()
        )
    }
}

/// Postgres takes neither NUL nor what is no UTF-8.
fn text(bytes: &[u8]) -> (Cell, bool) {
    let text = String::from_utf8_lossy(bytes);
    let is_whole = matches!(text, std::borrow::Cow::Borrowed(_)) && !text.contains('\0');
    (Cell::Text(text.replace('\0', "")), !is_whole)
}

fn parsed<T: std::str::FromStr>(bytes: &[u8]) -> Result<T, Unfit> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unfit)?;
    text.trim().parse().map_err(|_| Unfit)
}

fn truth(bytes: &[u8]) -> Result<bool, Unfit> {
    match bytes.to_ascii_lowercase().as_slice() {
        b"1" | b"t" | b"true" => Ok(true),
        b"0" | b"f" | b"false" => Ok(false),
        _ => Err(Unfit),
    }
}

fn counted(number: i64) -> Result<i64, Unfit> {
    let per = if number.abs() >= MILLISECONDS {
        1_000
    } else {
        1_000_000
    };
    number.checked_mul(per).ok_or(Unfit)
}

/// SQLite's own form and the ISO ones, with or without a zone, which is UTC then.
fn time(bytes: &[u8]) -> Result<i64, Unfit> {
    const ZONED: [&str; 4] = [
        "%Y-%m-%dT%H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M:%S%.f %#z",
        "%Y-%m-%d %H:%M:%S%.f UTC",
    ];
    const PLAIN: [&str; 4] = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
    ];
    let text = std::str::from_utf8(bytes).map_err(|_| Unfit)?.trim();
    let zoned = || {
        let iso = DateTime::parse_from_rfc3339(text).ok();
        let other = || {
            ZONED
                .iter()
                .find_map(|form| DateTime::parse_from_str(text, form).ok())
        };
        iso.or_else(other).map(|time| time.to_utc())
    };
    let plain = || {
        let text = text.trim_end_matches("Z").trim_end_matches(" UTC");
        let time = PLAIN
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        let day = || {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()?
                .and_hms_opt(0, 0, 0)
        };
        time.or_else(day).map(|time| time.and_utc())
    };
    let time: DateTime<Utc> = zoned().or_else(plain).ok_or(Unfit)?;
    Ok(time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(kind: Kind, raw: Raw) -> Option<String> {
        kind.cell(raw).expect("fits").0.text()
    }

    fn raw(text: &str) -> Raw {
        Raw::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn times_in_every_form_are_the_same_moment() {
        let noon = "2026-01-02T12:00:00+00:00";
        for (form, expected) in [
            ("2026-01-02 12:00:00", noon),
            ("2026-01-02T12:00:00Z", noon),
            ("2026-01-02T12:00:00.000Z", noon),
            ("2026-01-02 12:00:00Z", noon),
            ("2026-01-02 12:00:00+00:00", noon),
            ("2026-01-02 12:00:00 +00:00", noon),
            ("2026-01-02 12:00:00 UTC", noon),
            ("2026-01-02T14:00:00+02:00", noon),
            ("2026-01-02T14:00:00+0200", noon),
            ("2026-01-02 12:00", noon),
            (" 2026-01-02 12:00:00 ", noon),
            ("2026-01-02", "2026-01-02T00:00:00+00:00"),
            (
                "2026-01-02 12:00:00.123456789",
                "2026-01-02T12:00:00.123456+00:00",
            ),
        ] {
            assert_eq!(
                text_of(Kind::Time, raw(form)).as_deref(),
                Some(expected),
                "{form}"
            );
        }
        assert_eq!(
            text_of(Kind::Time, Raw::Integer(1_767_355_200)).as_deref(),
            Some(noon)
        );
        assert_eq!(
            text_of(Kind::Time, Raw::Integer(1_767_355_200_000)).as_deref(),
            Some(noon)
        );
    }

    #[test]
    fn values_get_their_columns_type() {
        for (kind, value, expected) in [
            (Kind::Bool, Raw::Integer(1), "true"),
            (Kind::Bool, Raw::Integer(0), "false"),
            (Kind::Bool, raw("TRUE"), "true"),
            (Kind::Integer, raw("17"), "17"),
            (
                Kind::Integer,
                Raw::Integer(i64::MIN),
                "-9223372036854775808",
            ),
            (Kind::Real, Raw::Integer(7), "7.0"),
            (Kind::Real, Raw::Real(0.1), "0.1"),
            (Kind::Real, Raw::Real(f64::NEG_INFINITY), "-Infinity"),
            (Kind::Text, Raw::Integer(5), "5"),
            (Kind::Text, raw("Änna"), "Änna"),
        ] {
            assert_eq!(
                text_of(kind, value.clone()).as_deref(),
                Some(expected),
                "{value:?}"
            );
        }
        for (kind, value) in [
            (Kind::Integer, raw("many")),
            (Kind::Integer, Raw::Real(1.5)),
            (Kind::Bool, raw("maybe")),
            (Kind::Time, raw("now")),
            (Kind::Time, raw("")),
            (Kind::Time, Raw::Real(1.5)),
            (Kind::Text, Raw::Blob),
        ] {
            assert_eq!(kind.cell(value.clone()), Err(Unfit), "{value:?}");
        }
        for kind in [
            Kind::Text,
            Kind::Integer,
            Kind::Real,
            Kind::Bool,
            Kind::Time,
        ] {
            assert_eq!(kind.cell(Raw::Null), Ok((Cell::Null, false)));
        }
    }

    #[test]
    fn what_postgres_does_not_take_is_left_out_of_a_text_and_told() {
        let cell = |bytes: &[u8]| Kind::Text.cell(Raw::Text(bytes.to_vec())).expect("fits");
        assert_eq!(cell(b"a\0b"), (Cell::Text("ab".to_owned()), true));
        assert_eq!(cell(b"a\xff"), (Cell::Text("a\u{fffd}".to_owned()), true));
        assert_eq!(cell(b"ab"), (Cell::Text("ab".to_owned()), false));
    }

    #[test]
    fn what_was_written_is_read_back_and_sums_know_no_order() {
        let row = [
            (Kind::Text, Cell::Text("a".to_owned())),
            (Kind::Integer, Cell::Integer(-5)),
            (Kind::Real, Cell::Real(1e300)),
            (Kind::Real, Cell::Real(0.1 + 0.2)),
            (Kind::Bool, Cell::Bool(false)),
            (Kind::Text, Cell::Null),
        ];
        for (kind, cell) in &row {
            assert_eq!(Cell::read_back(*kind, cell.text()), Ok(cell.clone()));
        }
        let micros = Cell::Time(1_767_355_200_123_456);
        assert_eq!(
            Cell::read_back(Kind::Time, Some("1767355200123456".to_owned())),
            Ok(micros)
        );

        let rows = ["a", "b", "b"].map(|text| vec![Cell::Text(text.to_owned()), Cell::Null]);
        let sum = |rows: &[&Vec<Cell>]| {
            let mut sum = Sum::default();
            rows.iter().for_each(|row| sum.add(row));
            sum
        };
        let [a, b, c] = &rows;
        assert_eq!(sum(&[a, b, c]), sum(&[c, b, a]));
        assert_ne!(sum(&[a, b, c]), sum(&[a, b]));
        assert_ne!(sum(&[a, a]), sum(&[b, b]));
    }
}
