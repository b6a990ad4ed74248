//! Rows that hold what a column's type cannot: SQLite lets every program write anything anywhere.
//!
//! One such value fails a whole `SELECT`. What else the row holds is read all the same, so that the value costs
//! nothing but itself, and what it is can be told by its column.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{
    ColumnTrait, ColumnType, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, IdenStatic,
    Iterable, ModelTrait, QueryFilter, QuerySelect, Statement, Value, sea_query::Expr,
};

use crate::{db_error::is_unreadable, syncable::Syncable, table::Table};

/// How much of a value is told.
const SHOWN: usize = 40;
/// What text columns should hold.
const TEXT: &str = "text";
/// The years that a date as text can have.
const YEARS: std::ops::RangeInclusive<i32> = 0..=9999;

/// A row that cannot be read whole.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable<M> {
    pub(crate) fault: Fault,
    /// The row with something else in the columns at fault.
    pub(crate) rest: Option<M>,
}

/// What of a row cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The columns, in their order; empty if that cannot be told.
    pub(crate) columns: Vec<&'static str>,
    /// What they hold, for people.
    pub(crate) reason: String,
}

impl Fault {
    /// The columns as one word.
    pub(crate) fn field(&self) -> Option<String> {
        (!self.columns.is_empty()).then(|| self.columns.join(", "))
    }
}

/// Rows by id, and those that cannot be read whole.
pub(crate) type Read<M> = (HashMap<i64, M>, BTreeMap<i64, Unreadable<M>>);

impl<E: Syncable> Table<E> {
    /// The rows with these ids. Where one cannot be read, each is read alone.
    pub(crate) async fn load_readable(
        &self,
        tx: &DatabaseTransaction,
        ids: &[i64],
    ) -> Result<Read<E::Model>, DbErr> {
        let mut unreadable = BTreeMap::new();
        let mut models = match self.load(tx, ids, false).await {
            Ok(models) => models,
            Err(error) if !is_unreadable(&error) => return Err(error),
            Err(_) => {
                let mut models = HashMap::with_capacity(ids.len());
                for &id in ids {
                    match self.load(tx, &[id], false).await {
                        Ok(found) => models.extend(found),
                        Err(error) if is_unreadable(&error) => {
                            unreadable.insert(id, self.read_rest(tx, id, Some(error)).await?);
                        }
                        Err(error) => return Err(error),
                    }
                }
                models
            }
        };
        let beyond: Vec<i64> = models
            .iter()
            .filter(|(_, model)| !self.beyond(model).is_empty())
            .map(|(id, _)| *id)
            .collect();
        for id in beyond {
            models.remove(&id);
            unreadable.insert(id, self.read_rest(tx, id, None).await?);
        }
        Ok((models, unreadable))
    }

    /// Columns whose value the type can hold and the wire cannot carry: an infinity, or no number at all, and a
    /// date that takes more than four digits for its year.
    pub(crate) fn beyond(&self, model: &E::Model) -> Vec<&'static str> {
        let is_beyond = |value: Value| match value {
            Value::Double(Some(number)) => !number.is_finite(),
            Value::Float(Some(number)) => !number.is_finite(),
            Value::ChronoDateTimeUtc(Some(time)) => !YEARS.contains(&chrono::Datelike::year(&time)),
            _ => false,
        };
        let columns = self.unbounded.iter().copied();
        columns
            .filter(|name| is_beyond(model.get(Self::column(name))))
            .collect()
    }

    /// Reads a row without what cannot be read, column by column as errors name them.
    async fn read_rest(
        &self,
        tx: &DatabaseTransaction,
        id: i64,
        mut error: Option<DbErr>,
    ) -> Result<Unreadable<E::Model>, DbErr> {
        let mut columns: Vec<E::Column> = Vec::new();
        let mut rest = None;
        let mut last = String::new();
        let n_columns = <E::Column as Iterable>::iter().count();
        for _ in 0..n_columns {
            if let Some(named) = error.as_ref().and_then(Self::named) {
                columns.push(named);
            } else if let Some(error) = &error {
                last = error.to_string();
                break;
            }
            match self.load_without(tx, id, &columns).await {
                Ok(model) => {
                    rest = model;
                    break;
                }
                Err(failed) if is_unreadable(&failed) => error = Some(failed),
                Err(failed) => return Err(failed),
            }
        }
        if let Some(model) = &rest {
            columns.extend(self.beyond(model).into_iter().map(Self::column));
        }
        let reasons = self.reasons(tx, id, &columns).await?;
        let reason = if reasons.is_empty() {
            last
        } else {
            reasons.join("; ")
        };
        let name = |column: &E::Column| column.as_str();
        Ok(Unreadable {
            fault: Fault {
                columns: columns.iter().map(name).collect(),
                reason,
            },
            rest,
        })
    }

    /// The column that an error of reading names: the first thing in quotes.
    fn named(error: &DbErr) -> Option<E::Column> {
        let text = error.to_string();
        let name = text.split('"').nth(1)?;
        <E::Column as Iterable>::iter().find(|column| column.as_str() == name)
    }

    async fn load_without(
        &self,
        tx: &DatabaseTransaction,
        id: i64,
        without: &[E::Column],
    ) -> Result<Option<E::Model>, DbErr> {
        let mut select = E::find().select_only();
        for column in <E::Column as Iterable>::iter() {
            let is_without = without.iter().any(|w| w.as_str() == column.as_str());
            select = match is_without {
                true => select.column_as(Expr::cust(filler(&column)), column.as_str()),
                false => select.column(column),
            };
        }
        select.filter(Self::id().eq(id)).one(tx).await
    }

    /// What stands in these columns, in words.
    async fn reasons(
        &self,
        tx: &DatabaseTransaction,
        id: i64,
        columns: &[E::Column],
    ) -> Result<Vec<String>, DbErr> {
        let mut reasons = Vec::new();
        for column in columns {
            let name = column.as_str();
            let wanted = wanted(column);
            if tx.get_database_backend() != DbBackend::Sqlite {
                reasons.push(format!("`{name}` does not hold {wanted}"));
                continue;
            }
            let sql = format!(
                "SELECT typeof(\"{name}\") AS kind, length(CAST(\"{name}\" AS BLOB)) AS size,
                   hex(substr(CAST(\"{name}\" AS BLOB), 1, {SHOWN})) AS start FROM \"{}\" WHERE \"{}\" = $1",
                E::SHAPE.table,
                E::SHAPE.id
            );
            let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [id.into()]);
            let Some(row) = tx.query_one_raw(statement).await? else {
                continue;
            };
            let kind: String = row.try_get("", "kind")?;
            let size: Option<i64> = row.try_get("", "size")?;
            let start: Option<String> = row.try_get("", "start")?;
            let there = shown(&kind, size.unwrap_or_default(), &start.unwrap_or_default());
            reasons.push(match (kind.as_str(), wanted) {
                ("text", TEXT) => format!("`{name}` holds {there}, which has broken characters"),
                _ => format!("`{name}` holds {there}, not {wanted}"),
            });
        }
        Ok(reasons)
    }
}

/// A value in words; `start` is how its bytes begin, in hexadecimal digits.
fn shown(kind: &str, size: i64, start: &str) -> String {
    let bytes: Vec<u8> = (0..start.len() / 2)
        .filter_map(|n| u8::from_str_radix(start.get(n * 2..n * 2 + 2)?, 16).ok())
        .collect();
    let text: String = String::from_utf8_lossy(&bytes)
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    let more = if usize::try_from(size).is_ok_and(|size| size > bytes.len()) {
        "…"
    } else {
        ""
    };
    match kind {
        "null" => "nothing".to_owned(),
        "blob" => format!("{size} raw bytes"),
        "text" => format!("the text '{text}{more}'"),
        _ => format!("the number {text}"),
    }
}

/// What a column of this type should hold.
fn wanted<C: ColumnTrait>(column: &C) -> &'static str {
    match column.def().get_column_type() {
        ColumnType::Boolean => "true or false",
        ColumnType::Double | ColumnType::Float | ColumnType::Decimal(_) => {
            "a number that can be sent"
        }
        kind if is_time(kind) => "a date and time",
        kind if is_integer(kind) => "a whole number",
        ColumnType::Text | ColumnType::String(_) | ColumnType::Char(_) => TEXT,
        _ => "what its type can be",
    }
}

/// Something that can be read in a column of this type. It goes nowhere.
fn filler<C: ColumnTrait>(column: &C) -> &'static str {
    match column.def().get_column_type() {
        ColumnType::Boolean => "FALSE",
        ColumnType::Double | ColumnType::Float => "0.0",
        kind if is_integer(kind) => "0",
        kind if is_time(kind) => "'1970-01-01 00:00:00'",
        ColumnType::Text | ColumnType::String(_) | ColumnType::Char(_) => "''",
        _ => "NULL",
    }
}

fn is_integer(kind: &ColumnType) -> bool {
    use ColumnType::{
        BigInteger, BigUnsigned, Integer, SmallInteger, SmallUnsigned, TinyInteger, TinyUnsigned,
        Unsigned,
    };
    matches!(
        kind,
        BigInteger
            | BigUnsigned
            | Integer
            | SmallInteger
            | SmallUnsigned
            | TinyInteger
            | TinyUnsigned
            | Unsigned
    )
}

pub(crate) fn is_time(kind: &ColumnType) -> bool {
    use ColumnType::{DateTime, Timestamp, TimestampWithTimeZone};
    matches!(kind, DateTime | Timestamp | TimestampWithTimeZone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_told_in_words() {
        for (kind, size, start, expected) in [
            ("text", 3, "616263", "the text 'abc'"),
            ("text", 900, "6162", "the text 'ab…'"),
            ("text", 2, "FF0A", "the text '\u{fffd}\u{fffd}'"),
            ("blob", 2, "0102", "2 raw bytes"),
            ("real", 3, "312E35", "the number 1.5"),
            ("null", 0, "", "nothing"),
        ] {
            assert_eq!(shown(kind, size, start), expected);
        }
    }
}
