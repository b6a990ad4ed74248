//! A row on the command line.

use crate::people::RowName;

/// Which row is meant.
#[derive(Debug, clap::Args)]
pub(super) struct Row {
    /// The table, such as `lists`.
    #[arg(env = "ZENTRIO_TABLE", value_name = "TABLE")]
    table: String,
    /// The row: its id in this database, or its remote_id.
    #[arg(env = "ZENTRIO_ROW", value_name = "ID")]
    id: String,
}

impl Row {
    pub(super) fn name(self) -> RowName {
        RowName {
            table: self.table,
            id: self.id,
        }
    }
}
