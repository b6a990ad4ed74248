//! What a sync would do, in words.

use std::fmt;

use sync_core::device::{Clash, Plan};

use super::output::{count, list};
use crate::planned::parts;

/// A plan in words, indented.
pub(super) struct Planned<'a>(pub(super) &'a Plan);

impl fmt::Display for Planned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.tables.is_empty() {
            return writeln!(f, "  Nothing is sent and nothing is received.");
        }
        for table in &self.0.tables {
            writeln!(f, "  {:<20} {}", table.table, parts(table).join(", "))?;
        }
        list(
            f,
            "  Of these the later edit of each field stands:",
            &self.0.clashes,
            |clash| format!("  {}", clashing(clash)),
        )
    }
}

fn clashing(clash: &Clash) -> String {
    let registers: Vec<&str> = clash
        .registers
        .iter()
        .map(|register| register.register.as_str())
        .collect();
    format!(
        "{} {} ({}: {})",
        clash.table,
        clash.row_id,
        count(registers.len() as u64, "field"),
        registers.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use sync_core::device::PlannedTable;

    use super::*;

    #[test]
    fn a_plan_says_what_happens_to_each_table() {
        let table = PlannedTable {
            table: "lists".to_owned(),
            n_new: 2,
            n_received: 1,
            ..PlannedTable::default()
        };
        let plan = Plan {
            tables: vec![table],
            clashes: vec![Clash {
                table: "lists".to_owned(),
                row_id: 3,
                remote_id: "x".to_owned(),
                registers: Vec::new(),
            }],
        };
        let text = Planned(&plan).to_string();
        assert!(
            text.contains("lists                2 new to the account, 1 received"),
            "{text}"
        );
        assert!(text.contains("lists 3 (0 fields: )"), "{text}");
        let nothing = Planned(&Plan::default()).to_string();
        assert!(nothing.contains("Nothing is sent"), "{nothing}");
    }
}
