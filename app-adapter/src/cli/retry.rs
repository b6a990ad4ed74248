//! `zentrio retry`.

use std::{fmt, path::Path};

use serde::Serialize;
use sync_core::device::{QuarantinedRow, RejectedRow};

use super::{
    exit::Exit,
    output::{Answer, Output, count},
    status::write_troubles,
};
use crate::{Adapter, AdapterError, SyncLog, people::RowName, reporter::Reporter};

/// Which row is meant; none for all.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The table, such as `lists`. Without one every refused row is tried.
    #[arg(env = "ZENTRIO_TABLE", value_name = "TABLE", requires = "id")]
    table: Option<String>,
    /// The row: its id in this database, or its remote_id.
    #[arg(env = "ZENTRIO_ROW", value_name = "ID")]
    id: Option<String>,
}

/// What a retry came to.
#[derive(Serialize)]
struct Tried {
    /// Rows that were tried.
    n_tried: u64,
    /// Rows that are in order now.
    n_taken: u64,
    rejected: Vec<RejectedRow>,
    quarantined: Vec<QuarantinedRow>,
}

pub(super) async fn run(
    adapter: &Adapter,
    path: &Path,
    args: Args,
    output: &Output,
) -> Result<Exit, AdapterError> {
    let row = match (args.table, args.id) {
        (Some(table), Some(id)) => Some(RowName { table, id }),
        _ => None,
    };
    let before = adapter.retry(row.as_ref()).await?;
    let log = SyncLog::beside(path, "retry");
    let reporter = Reporter::on_stderr(output.is_verbose()).and(&log);
    let result = adapter.sync(&|event| reporter.event(&event)).await;
    reporter.finish(&result);
    result?;
    let status = adapter.overview().await?.status;
    let (mut rejected, mut quarantined) = (status.rejected, status.quarantined);
    if row.is_some() {
        rejected.retain(|now| {
            let mut tried = before.rejected.iter();
            tried.any(|was| (&was.table, was.row_id) == (&now.table, now.row_id))
        });
        quarantined.retain(|now| {
            let mut tried = before.written.iter().chain(&before.quarantined);
            tried.any(|was| (&was.table, &was.remote_id) == (&now.table, &now.remote_id))
        });
    }
    let n_tried = before.rejected.len() + before.written.len() + before.quarantined.len();
    let n_left = rejected.len() + quarantined.len();
    output.answer(&Tried {
        n_tried: n_tried as u64,
        n_taken: n_tried.saturating_sub(n_left) as u64,
        rejected,
        quarantined,
    })
}

impl Answer for Tried {
    fn exit(&self) -> Exit {
        if self.rejected.is_empty() && self.quarantined.is_empty() {
            Exit::Done
        } else {
            Exit::Incomplete
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.n_tried {
            0 => writeln!(f, "There was nothing to retry.")?,
            n => writeln!(
                f,
                "Tried {}; {} in order now.",
                count(n, "row"),
                self.n_taken
            )?,
        }
        write_troubles(f, &self.rejected, &self.quarantined)
    }
}
