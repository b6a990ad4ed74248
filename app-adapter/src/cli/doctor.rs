//! `zentrio doctor`.

use std::fmt;

use clap::{ArgAction, builder::FalseyValueParser};
use serde::Serialize;
use sync_core::device::{Diagnosis, Finding, FindingKind};

use super::{
    exit::Exit,
    output::{Answer, Output, count, list},
};
use crate::{Adapter, AdapterError, reporter::Reporter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Sync, compare and tell, but mend nothing.
    #[arg(long, env = "ZENTRIO_CHECK", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    check: bool,
}

#[derive(Serialize)]
struct Told {
    is_sound: bool,
    #[serde(flatten)]
    diagnosis: Diagnosis,
}

pub(super) async fn run(
    adapter: &Adapter,
    args: &Args,
    output: &Output,
) -> Result<Exit, AdapterError> {
    let reporter = Reporter::on_stderr(output.is_verbose());
    let result = adapter
        .doctor(!args.check, &|event| reporter.event(&event))
        .await;
    reporter.finish(&result);
    let diagnosis = result?;
    output.answer(&Told {
        is_sound: diagnosis.is_sound(),
        diagnosis,
    })
}

impl Answer for Told {
    fn exit(&self) -> Exit {
        match self.diagnosis.server_error.as_deref() {
            _ if !self.is_sound => Exit::Unsound,
            None => Exit::Done,
            Some("not_connected" | "unauthorized") => Exit::LoginNeeded,
            Some("epoch_changed" | "cursor_ahead" | "mass_deletion") => Exit::ChoiceNeeded,
            Some("feed_moved" | "busy") => Exit::Busy,
            Some(_) => Exit::Unreachable,
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnosis {
            n_findings,
            n_mended,
            findings,
            tables,
            server_message,
            ..
        } = &self.diagnosis;
        let n_rows: u64 = tables.iter().map(|table| table.n_rows).sum();
        match server_message {
            None => writeln!(f, "Compared {} with the server.", count(n_rows, "row"))?,
            Some(message) => writeln!(f, "Not compared with the server: {message}.")?,
        }
        for table in tables.iter().filter(|table| table.code.is_some()) {
            writeln!(f, "The server does not know {}: update it.", table.table)?;
        }
        if *n_findings == 0 {
            return writeln!(f, "All is in order.");
        }
        let mended: Vec<&Finding> = findings.iter().filter(|finding| finding.mended).collect();
        let left: Vec<&Finding> = findings.iter().filter(|finding| !finding.mended).collect();
        let heading = format!("{} put right:", count(*n_mended, "thing"));
        list(f, &heading, &mended, |finding| line(finding))?;
        let heading = format!("{} not in order:", count(n_findings - n_mended, "thing"));
        list(f, &heading, &left, |finding| line(finding))
    }
}

fn line(finding: &Finding) -> String {
    let row = match (finding.row_id, &finding.remote_id) {
        (Some(id), _) => format!(" {id}"),
        (None, Some(name)) => format!(" {name}"),
        (None, None) => String::new(),
    };
    let message = finding
        .message
        .as_ref()
        .map_or(String::new(), |text| format!(": {text}"));
    let what = match finding.kind {
        FindingKind::Differs => format!(
            "is not the same at the server ({})",
            finding.registers.join(", ")
        ),
        kind => words(kind).to_owned(),
    };
    format!("{}{row} {what}{message}", finding.table)
        .trim_start()
        .to_owned()
}

fn words(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::FileDamaged => "the file is damaged; restore it from a backup",
        FindingKind::BrokenReference => "refers to a row that is not there",
        FindingKind::CaptureAltered => "has triggers that were altered or removed",
        FindingKind::DirtyFlag => "has changes waiting and did not say so",
        FindingKind::MissedEdit => "was changed without being noticed",
        FindingKind::NeverSent => "was never sent",
        FindingKind::Differs => "is not the same at the server",
        FindingKind::MissingHere => "was missing here",
        FindingKind::MissingThere => "was missing at the server",
        FindingKind::Unreadable => "cannot be read here",
        FindingKind::UnreadableThere => "cannot be read at the server",
        FindingKind::UnseenThere => "has rows at the server that no device could see",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(mended: bool, server_error: Option<&str>) -> Told {
        let finding = Finding {
            kind: FindingKind::Differs,
            table: "lists".to_owned(),
            row_id: Some(3),
            remote_id: Some("r".to_owned()),
            registers: vec!["name".to_owned()],
            message: None,
            mended,
        };
        let diagnosis = Diagnosis {
            mend: true,
            n_findings: 1,
            n_mended: mended.into(),
            findings: vec![finding],
            tables: Vec::new(),
            server_error: server_error.map(str::to_owned),
            server_message: server_error.map(str::to_owned),
        };
        Told {
            is_sound: diagnosis.is_sound(),
            diagnosis,
        }
    }

    #[test]
    fn what_is_mended_is_well_and_what_is_left_is_not() {
        assert_eq!(told(true, None).exit(), Exit::Done);
        assert_eq!(told(false, None).exit(), Exit::Unsound);
        assert_eq!(told(true, Some("offline")).exit(), Exit::Unreachable);
        assert_eq!(told(true, Some("not_connected")).exit(), Exit::LoginNeeded);
        assert_eq!(told(false, Some("offline")).exit(), Exit::Unsound);
    }

    #[test]
    fn a_row_is_told_with_its_registers() {
        let text = told(false, None).to_string();
        assert!(
            text.contains("lists 3 is not the same at the server (name)"),
            "{text}"
        );
        assert!(text.contains("1 thing not in order:"), "{text}");
    }
}
