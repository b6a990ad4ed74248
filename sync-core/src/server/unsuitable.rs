//! Values that one database holds and another does not: no server takes them.

use crate::{shape::Shape, wire::WireRow};

/// Most bytes of text in one key: an index of Postgres takes little more, SQLite any length. What one
/// server takes, another must take too.
const KEY_BYTES: usize = 4_096;

/// A value that not every database can hold: looked for only where the row as it came may have one.
pub(super) fn unsuitable<W: WireRow>(
    shape: &Shape,
    row: &W,
    raw: &str,
) -> Option<(&'static str, &'static str, String)> {
    if raw.contains("\\u0000") {
        let has_nul = |column: &&'static str| row.column(column).is_some_and(|v| holds_nul(&v));
        if let Some(column) = shape.columns().find(has_nul) {
            let message = "text cannot hold the character U+0000".to_owned();
            return Some(("invalid_value", column, message));
        }
    }
    // Composing characters makes a text longer by no more than this.
    if raw.len() * 3 > KEY_BYTES {
        let column = keys(shape).find_map(|columns| too_long(&columns, row))?;
        let message = format!("what makes a row unique may have at most {KEY_BYTES} bytes");
        return Some(("too_long", column, message));
    }
    None
}

/// The columns of each key, and of it the member that names a row which is looked up.
fn keys(shape: &Shape) -> impl Iterator<Item = Vec<(&'static str, Option<&'static str>)>> {
    let natural = shape.natural_keys.iter();
    let natural = natural.map(|key| key.iter().map(|column| (*column, None)).collect());
    let lookups = shape.lookups.iter();
    natural.chain(lookups.map(|lookup| vec![(lookup.column, Some(lookup.key))]))
}

/// The longest column of a key that is too long as a whole.
fn too_long<W: WireRow>(
    columns: &[(&'static str, Option<&'static str>)],
    row: &W,
) -> Option<&'static str> {
    let bytes = |&(column, member): &(&'static str, Option<&'static str>)| {
        let value = row.column(column)?;
        let text = match member {
            Some(member) => value.get(member)?.as_str(),
            None => value.as_str(),
        };
        Some((text?.len(), column))
    };
    let texts: Vec<(usize, &'static str)> = columns.iter().filter_map(bytes).collect();
    let whole: usize = texts.iter().map(|(bytes, _)| bytes).sum();
    let longest = texts.into_iter().max()?;
    (whole > KEY_BYTES).then_some(longest.1)
}

fn holds_nul(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}
