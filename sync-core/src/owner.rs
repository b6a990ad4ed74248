//! Whose a row is: the account in its own owner column, or that of a parent.

use crate::registry::{Registered, Registry, Target};

/// An SQL condition: the row of `registered` whose id is `row_id` belongs to the account `$1`.
pub(crate) fn owns_row(registry: &Registry, registered: &Registered, row_id: &str) -> String {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let owned = owned(registry, registered, "o0", 1);
    format!("EXISTS (SELECT 1 FROM \"{table}\" o0 WHERE o0.\"{id}\" = {row_id} AND {owned})")
}

/// An SQL expression: the account that the row which `alias` stands for belongs to.
pub(crate) fn owner_of(registry: &Registry, registered: &Registered, alias: &str) -> String {
    owner_at(registry, registered, alias, 1)
}

fn owner_at(registry: &Registry, registered: &Registered, alias: &str, depth: usize) -> String {
    let owner = registered.shape.owner;
    let mut ways: Vec<String> = owner
        .iter()
        .map(|owner| format!("CAST({alias}.\"{owner}\" AS TEXT)"))
        .collect();
    for (target, parent) in parents(registry, registered) {
        let inner = format!("p{depth}");
        let owner = owner_at(registry, parent, &inner, depth + 1);
        ways.push(format!(
            "(SELECT {owner} FROM \"{}\" {inner} WHERE {inner}.\"{}\" = {alias}.\"{}\")",
            target.table, target.id, target.column
        ));
    }
    // SQLite wants two at least.
    ways.extend(["NULL".to_owned(), "NULL".to_owned()]);
    format!("coalesce({})", ways.join(", "))
}

/// The foreign keys by which a row inherits its account, with the tables they lead to. A table that is its
/// own parent inherits nothing by that.
fn parents<'a>(
    registry: &'a Registry,
    registered: &'a Registered,
) -> impl Iterator<Item = (&'a Target, &'a Registered)> {
    let targets = registered.targets.iter();
    targets
        .filter(|t| t.parent && t.table != registered.shape.table)
        .filter_map(|target| Some((target, registry.get(&target.table)?)))
}

/// An SQL condition: the row that `alias` stands for belongs to the account `$1`.
fn owned(registry: &Registry, registered: &Registered, alias: &str, depth: usize) -> String {
    let mut ways: Vec<String> = registered
        .shape
        .owner
        .iter()
        .map(|owner| format!("CAST({alias}.\"{owner}\" AS TEXT) = $1"))
        .collect();
    for (target, parent) in parents(registry, registered) {
        let inner = format!("o{depth}");
        let owned = owned(registry, parent, &inner, depth + 1);
        ways.push(format!(
            "EXISTS (SELECT 1 FROM \"{}\" {inner} WHERE {inner}.\"{}\" = {alias}.\"{}\" AND {owned})",
            target.table, target.id, target.column
        ));
    }
    format!("({})", ways.join(" OR "))
}
