//! What both databases can take at once, and values without their Rust type.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnType, Value};
use serde_json::Value as Json;

use crate::wire::{Millis, WireValue};

/// Ids in one `IN (…)` list, and most rows in one statement: at or above either database's best speed.
pub(crate) const CHUNK: usize = 500;

/// Rows of so many columns that fit one statement: SQLite takes 32,766 parameters, Postgres 65,535.
pub(crate) fn rows_per_statement(columns: usize) -> usize {
    (32_000 / columns.max(1)).clamp(1, CHUNK)
}

/// An integer column's value.
pub(crate) fn value_to_i64(value: &Value) -> Option<i64> {
    match value {
        Value::BigInt(v) => *v,
        Value::Int(v) => v.map(i64::from),
        Value::SmallInt(v) => v.map(i64::from),
        _ => None,
    }
}

/// A plain column's value as it travels; `None` for NULL and for types that lookups do not carry.
pub(crate) fn value_to_json(value: &Value) -> Option<Json> {
    match value {
        Value::String(v) => v.as_ref().map(|v| v.as_str().into()),
        Value::Bool(v) => v.map(Json::from),
        Value::Double(v) => v.map(Json::from),
        Value::Float(v) => v.map(Json::from),
        Value::ChronoDateTimeUtc(v) => v.map(|v| Millis::from(v).to_string().into()),
        Value::Json(v) => v.as_deref().cloned(),
        other => value_to_i64(other).map(Json::from),
    }
}

/// A travelled value for a column of this type; `None` if it does not fit.
pub(crate) fn json_to_value(column: &ColumnType, json: &Json) -> Option<Value> {
    match column {
        ColumnType::Text | ColumnType::String(_) | ColumnType::Char(_) => {
            Some(json.as_str()?.to_owned().into())
        }
        ColumnType::Boolean => Some(json.as_bool()?.into()),
        ColumnType::BigInteger => Some(json.as_i64()?.into()),
        ColumnType::Integer => Some(i32::try_from(json.as_i64()?).ok()?.into()),
        ColumnType::Double => Some(json.as_f64()?.into()),
        ColumnType::Json | ColumnType::JsonBinary => Some(json.clone().into()),
        ColumnType::TimestampWithTimeZone => {
            let millis: Millis = serde_json::from_value(json.clone()).ok()?;
            Some(DateTime::<Utc>::from_wire(millis)?.into())
        }
        _ => None,
    }
}
