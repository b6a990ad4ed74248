//! Whose a row is: the account in its own owner column, or that of a parent.

use crate::registry::{Registered, Registry};

/// An SQL condition: the row of `registered` whose id is `row_id` belongs to the account `$1`.
pub(crate) fn owns_row(registry: &Registry, registered: &Registered, row_id: &str) -> String {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let owned = owned(registry, registered, "o0", 1);
    format!("EXISTS (SELECT 1 FROM \"{table}\" o0 WHERE o0.\"{id}\" = {row_id} AND {owned})")
}

/// An SQL condition: the row that `alias` stands for belongs to the account `$1`.
fn owned(registry: &Registry, registered: &Registered, alias: &str, depth: usize) -> String {
    let mut ways: Vec<String> = registered
        .shape
        .owner
        .iter()
        .map(|owner| format!("CAST({alias}.\"{owner}\" AS TEXT) = $1"))
        .collect();
    for target in registered
        .targets
        .iter()
        .filter(|t| t.parent && t.table != registered.shape.table)
    {
        if let Some(parent) = registry.get(&target.table) {
            let inner = format!("o{depth}");
            let owned = owned(registry, parent, &inner, depth + 1);
            ways.push(format!(
                "EXISTS (SELECT 1 FROM \"{}\" {inner} WHERE {inner}.\"{}\" = {alias}.\"{}\" AND {owned})",
                target.table, target.id, target.column
            ));
        }
    }
    format!("({})", ways.join(" OR "))
}
