//! The words for what a sync would do.

use sync_core::device::PlannedTable;

/// What happens to one table, part by part.
pub(crate) fn parts(table: &PlannedTable) -> Vec<String> {
    let words = [
        (table.n_new, "new to the account"),
        (table.n_same, "the same there"),
        (table.n_clashing, "different there"),
        (table.n_received, "received"),
        (table.n_removed, "removed here"),
    ];
    let there = words.into_iter().filter(|(n, _)| *n > 0);
    there.map(|(n, what)| format!("{n} {what}")).collect()
}
