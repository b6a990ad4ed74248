//! `zentrio sync`.

use std::{fmt, path::Path};

use clap::{ArgAction, builder::FalseyValueParser};
use serde::Serialize;
use sync_core::{SyncReport, device::Restart};

use super::{
    exit::Exit,
    output::{Answer, Output, count},
    status::write_troubles,
};
use crate::{Adapter, AdapterError, Overview, SyncLog, reporter::Reporter};

/// What to do first where the server's data is not what this database was synced with.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Send all rows of this device again and merge them with the server's: nothing here is lost.
    #[arg(long, env = "ZENTRIO_KEEP_MINE", conflicts_with = "take_theirs", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    keep_mine: bool,
    /// Delete rows here that were synced before and that the server does not have.
    #[arg(long, env = "ZENTRIO_TAKE_THEIRS", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    take_theirs: bool,
}

impl Args {
    fn restart(&self) -> Option<Restart> {
        match (self.keep_mine, self.take_theirs) {
            (true, _) => Some(Restart::KeepMine),
            (_, true) => Some(Restart::TakeTheirs),
            _ => None,
        }
    }
}

/// What a sync did, and what it left.
#[derive(Serialize)]
struct Synced {
    #[serde(flatten)]
    report: SyncReport,
    n_pending: u64,
    rejected: Vec<sync_core::device::RejectedRow>,
    quarantined: Vec<sync_core::device::QuarantinedRow>,
}

pub(super) async fn run(
    adapter: &Adapter,
    path: &Path,
    args: &Args,
    output: &Output,
) -> Result<Exit, AdapterError> {
    if let Some(restart) = args.restart() {
        adapter.restart(restart).await?;
    }
    let log = SyncLog::beside(path, "sync");
    let reporter = Reporter::on_stderr(output.is_verbose()).and(&log);
    let result = adapter.sync(&|event| reporter.event(&event)).await;
    reporter.finish(&result);
    let report = result?;
    let Overview {
        n_pending, status, ..
    } = adapter.overview().await?;
    output.answer(&Synced {
        report,
        n_pending,
        rejected: status.rejected,
        quarantined: status.quarantined,
    })
}

impl Answer for Synced {
    /// Whatever was left behind counts, also by an earlier sync.
    fn exit(&self) -> Exit {
        if self.rejected.is_empty() && self.quarantined.is_empty() {
            Exit::Done
        } else {
            Exit::Incomplete
        }
    }
}

impl fmt::Display for Synced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SyncReport {
            n_pushed,
            n_pulled,
            n_conflicts,
            ..
        } = self.report;
        match (n_pushed, n_pulled) {
            (0, 0) => writeln!(f, "Synced. There was nothing new.")?,
            _ => writeln!(
                f,
                "Synced. Sent {}, received {}.",
                count(n_pushed, "row"),
                count(n_pulled, "row")
            )?,
        }
        if n_conflicts > 0 {
            writeln!(
                f,
                "{} gave way to a later one from another device.",
                count(n_conflicts, "local value")
            )?;
        }
        write_troubles(f, &self.rejected, &self.quarantined)
    }
}

#[cfg(test)]
mod tests {
    use sync_core::device::{QuarantinedRow, RejectedRow};

    use super::*;

    fn synced(n_pushed: u64, n_pulled: u64) -> Synced {
        let report = SyncReport {
            n_pushed,
            n_pulled,
            ..SyncReport::default()
        };
        Synced {
            report,
            n_pending: 0,
            rejected: Vec::new(),
            quarantined: Vec::new(),
        }
    }

    #[test]
    fn a_clean_sync_is_one_short_sentence() {
        assert_eq!(synced(0, 0).to_string(), "Synced. There was nothing new.\n");
        assert_eq!(
            synced(1, 2).to_string(),
            "Synced. Sent 1 row, received 2 rows.\n"
        );
        assert_eq!(synced(1, 2).exit(), Exit::Done);
    }

    #[test]
    fn rows_left_behind_are_told_and_change_the_exit_code() {
        let mut synced = synced(1, 0);
        synced.rejected.push(RejectedRow {
            table: "lists".to_owned(),
            row_id: 4,
            remote_id: None,
            code: "too_long".to_owned(),
            field: Some("name".to_owned()),
            message: Some("the name is too long".to_owned()),
            at_ms: 0,
            since_ms: 0,
        });
        assert_eq!(synced.exit(), Exit::Incomplete);
        let text = synced.to_string();
        assert!(
            text.contains("lists 4, name: the name is too long (too_long)"),
            "{text}"
        );

        synced.rejected.clear();
        synced.quarantined.push(QuarantinedRow {
            table: "lists".to_owned(),
            remote_id: "r".to_owned(),
            row_id: None,
            code: "unknown_parent".to_owned(),
            field: None,
            reason: "no parent".to_owned(),
            at_ms: 0,
            since_ms: 0,
        });
        assert_eq!(synced.exit(), Exit::Incomplete);
        assert!(synced.to_string().contains("lists r: no parent"));
    }

    #[test]
    fn json_is_one_flat_object() {
        let json = serde_json::to_value(synced(1, 2)).expect("json");
        for key in [
            "n_pushed",
            "n_pulled",
            "n_rejected",
            "n_quarantined",
            "n_conflicts",
            "n_pending",
            "rejected",
            "quarantined",
        ] {
            assert!(json.get(key).is_some(), "{key}");
        }
    }
}
