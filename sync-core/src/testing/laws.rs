//! The laws of merging, held against every column that is merged by its values: an entity's own function may
//! break them.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::{Value as Json, json};

use super::{
    hooks::Values,
    tables::{Column, Kind, Role, Table},
};
use crate::registry::{Registered, Registry};

/// Commutative, associative and idempotent, or the same edits in another order make other rows.
///
/// Returns the tables and columns whose rule always takes one of the two values, so that a row never holds
/// what nobody wrote.
pub(crate) fn check(
    registry: &Registry,
    tables: &[Table],
    values: &Values,
) -> Result<BTreeSet<(&'static str, &'static str)>> {
    let mut choosing = BTreeSet::new();
    for table in tables {
        let Some(registered) = registry.get(table.name) else {
            continue;
        };
        for column in &table.columns {
            if let Role::ByValue(register) = column.role {
                let samples = samples(table, column, values);
                let rule = Rule {
                    registered,
                    register,
                    name: format!("`{}.{}`", table.name, column.name),
                };
                rule.check(&samples)?;
                if rule.chooses(&samples) {
                    choosing.insert((table.name, column.name));
                }
            }
        }
    }
    Ok(choosing)
}

struct Rule<'a> {
    registered: &'a Registered,
    register: usize,
    name: String,
}

impl Rule<'_> {
    fn check(&self, samples: &[Json]) -> Result<()> {
        for a in samples {
            if let Some(merged) = self.merge(a, a) {
                ensure!(
                    merged == *a,
                    "LAWS: {} merges {a} with itself into {merged}: a push that is repeated would change rows",
                    self.name
                );
            }
            for b in samples {
                self.check_two(a, b, samples)?;
            }
        }
        Ok(())
    }

    fn check_two(&self, a: &Json, b: &Json, samples: &[Json]) -> Result<()> {
        let (Some(ab), Some(ba)) = (self.merge(a, b), self.merge(b, a)) else {
            return Ok(());
        };
        ensure!(
            ab == ba,
            "LAWS: {} merges {a} with {b} into {ab}, but {b} with {a} into {ba}: what a row holds would depend on who syncs first",
            self.name
        );
        for c in samples {
            let one = self.merge(&ab, c);
            let other = self.merge(b, c).and_then(|bc| self.merge(a, &bc));
            ensure!(
                one == other || one.is_none() || other.is_none(),
                "LAWS: {} merges {a}, {b} and {c} into {one:?} or {other:?}, depending on which two meet first",
                self.name
            );
        }
        Ok(())
    }

    fn chooses(&self, samples: &[Json]) -> bool {
        let chosen = |a: &Json, b: &Json| self.merge(a, b).is_none_or(|ab| ab == *a || ab == *b);
        samples.iter().all(|a| samples.iter().all(|b| chosen(a, b)))
    }

    fn merge(&self, one: &Json, other: &Json) -> Option<Json> {
        self.registered.table.combine(self.register, one, other)
    }
}

/// A few values, as they travel.
fn samples(table: &Table, column: &Column, values: &Values) -> Vec<Json> {
    let given = |number| {
        let value = values.draw(table.name, column.name, number)?;
        crate::bulk::value_to_json(&value)
    };
    let mut samples: Vec<Json> = match values.knows(table.name, column.name) {
        true => (0..5).filter_map(given).collect(),
        false => [0, 1, 2, 7, 40]
            .iter()
            .filter_map(|n| sample(column.kind, *n))
            .collect(),
    };
    if !column.required {
        samples.push(Json::Null);
    }
    samples
}

fn sample(kind: Kind, number: u32) -> Option<Json> {
    Some(match kind {
        Kind::Text => json!(format!("text {number}")),
        Kind::Number(_) => json!(number),
        Kind::Real => json!(f64::from(number) + 0.5),
        Kind::Bool => json!(number % 2 == 1),
        Kind::Time => json!(format!("2026-01-01T00:00:{:02}.000Z", number % 60)),
        Kind::Date => json!(format!("2026-01-{:02}", number % 28 + 1)),
        Kind::Json => json!({ "n": number }),
        // As base64.
        Kind::Blob => json!(["AA==", "AQ==", "AAE=", "/w==", ""][number as usize % 5]),
        Kind::Enum(words) => json!(words.get(number as usize % words.len().max(1))?),
        _ => return None,
    })
}
