//! What the doctor finds, and what came of it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{device::damage::is_damage, error::SyncError};

/// Most findings that are told one by one.
const MOST: usize = 10_000;

/// What the doctor found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Whether what was found was to be mended.
    pub mend: bool,
    /// Things that were not in order.
    pub n_findings: u64,
    /// How many of them are in order now.
    pub n_mended: u64,
    /// The things, at most 10,000.
    pub findings: Vec<Finding>,
    /// Tables that were compared with the server.
    pub tables: Vec<TableCompared>,
    /// Why nothing, or not everything, was compared with the server, as a stable word.
    pub server_error: Option<String>,
    /// The same in words.
    pub server_message: Option<String>,
}

/// A table that was compared with the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableCompared {
    /// The table.
    pub table: String,
    /// Live rows here that have a name.
    pub n_rows: u64,
    /// Rows that differed, before anything was mended.
    pub n_differing: u64,
    /// Why it was not compared: `unknown_table` where the server does not know it.
    pub code: Option<String>,
}

/// One thing that was not in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The table.
    pub table: String,
    /// The row's primary key here.
    pub row_id: Option<i64>,
    /// The row's name.
    pub remote_id: Option<String>,
    /// The registers that differ.
    pub registers: Vec<String>,
    /// More about it, in words.
    pub message: Option<String>,
    /// Whether it is in order now, or on its way to the server.
    pub mended: bool,
}

/// What was not in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// SQLite finds the file damaged.
    FileDamaged,
    /// A row refers to one that is not there.
    BrokenReference,
    /// The triggers that capture changes are not those that the entity asks for.
    CaptureAltered,
    /// A row has pending changes and does not say so.
    DirtyFlag,
    /// A row says that it was changed, and nothing is pending.
    MissedEdit,
    /// A live row has no name, so that it was never sent, and nothing is pending.
    NeverSent,
    /// A row is live on both ends and not the same.
    Differs,
    /// A row is live at the server and not here.
    MissingHere,
    /// A row is live here and not at the server.
    MissingThere,
    /// A row here cannot be read.
    Unreadable,
    /// The server cannot read its own copy of a row.
    UnreadableThere,
    /// The server has rows that no device can see.
    UnseenThere,
}

impl FindingKind {
    /// Whether only comparing once more can tell that it is mended.
    fn is_of_comparison(self) -> bool {
        self >= Self::Differs
    }
}

/// Findings as they come in.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: BTreeMap<Key, (Finding, u32)>,
    /// Findings of the comparison that are not told one by one.
    n_more: u64,
    n_in_pass: u64,
    pass: u32,
}

type Key = (FindingKind, String, Option<String>, Option<i64>);

impl Finding {
    pub(super) fn new(kind: FindingKind, table: &str) -> Self {
        Self {
            kind,
            table: table.to_owned(),
            row_id: None,
            remote_id: None,
            registers: Vec::new(),
            message: None,
            mended: false,
        }
    }

    pub(super) fn of_row(
        kind: FindingKind,
        table: &str,
        row_id: Option<i64>,
        remote_id: Option<&str>,
    ) -> Self {
        Self {
            row_id,
            remote_id: remote_id.map(str::to_owned),
            ..Self::new(kind, table)
        }
    }

    fn key(&self) -> Key {
        // A row that was missing gets its key here while it is mended.
        let row_id = self.row_id.filter(|_| self.remote_id.is_none());
        (
            self.kind,
            self.table.clone(),
            self.remote_id.clone(),
            row_id,
        )
    }
}

impl Findings {
    /// Takes note of something. What was found before is kept as it was then.
    pub(super) fn add(&mut self, finding: Finding) {
        self.n_in_pass += u64::from(finding.kind.is_of_comparison());
        let key = finding.key();
        if let Some((_, pass)) = self.found.get_mut(&key) {
            *pass = self.pass;
        } else if self.found.len() < MOST {
            self.found.insert(key, (finding, self.pass));
        } else if self.pass <= 1 {
            self.n_more += 1;
        }
    }

    /// Whether the file cannot be relied on.
    pub(super) fn is_file_damaged(&self) -> bool {
        let mut found = self.found.values().map(|(finding, _)| finding);
        found.any(|finding| {
            let message = finding.message.as_deref();
            finding.kind == FindingKind::FileDamaged && message.is_some_and(is_damage)
        })
    }

    /// Compares once more from the beginning.
    pub(super) fn begin_pass(&mut self) {
        self.pass += 1;
        self.n_in_pass = 0;
    }

    /// Whether the last comparison found anything.
    pub(super) fn any_in_pass(&self) -> bool {
        self.n_in_pass > 0
    }

    /// What the last comparison did not find any more is mended.
    pub(super) fn end_last_pass(&mut self) {
        for (finding, pass) in self.found.values_mut() {
            finding.mended |= finding.kind.is_of_comparison() && *pass < self.pass;
        }
    }

    pub(super) fn diagnosis(
        self,
        mend: bool,
        tables: Vec<TableCompared>,
        error: Option<&SyncError>,
    ) -> Diagnosis {
        let findings: Vec<Finding> = self
            .found
            .into_values()
            .map(|(finding, _)| finding)
            .collect();
        let mended = findings.iter().filter(|finding| finding.mended).count() as u64;
        let more_mended = if self.n_in_pass == 0 && mend {
            self.n_more
        } else {
            0
        };
        Diagnosis {
            mend,
            n_findings: findings.len() as u64 + self.n_more,
            n_mended: mended + more_mended,
            findings,
            tables,
            server_error: error.map(|error| error.word().to_owned()),
            server_message: error.map(ToString::to_string),
        }
    }
}

impl Diagnosis {
    /// Whether all is in order now.
    pub fn is_sound(&self) -> bool {
        self.n_findings == self.n_mended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Finding {
        Finding::of_row(FindingKind::Differs, "t", Some(1), Some(name))
    }

    #[test]
    fn what_the_last_pass_still_finds_is_not_mended() {
        let mut findings = Findings::default();
        findings.begin_pass();
        findings.add(row("a"));
        findings.add(row("b"));
        findings.begin_pass();
        findings.add(row("b"));
        findings.end_last_pass();
        let diagnosis = findings.diagnosis(true, Vec::new(), None);
        let mended: Vec<bool> = diagnosis
            .findings
            .iter()
            .map(|finding| finding.mended)
            .collect();
        assert_eq!(mended, [true, false]);
        assert_eq!((diagnosis.n_findings, diagnosis.n_mended), (2, 1));
        assert!(!diagnosis.is_sound());
    }

    #[test]
    fn very_many_findings_are_counted_and_not_kept() {
        let mut findings = Findings::default();
        findings.begin_pass();
        (0..MOST + 5).for_each(|n| findings.add(row(&n.to_string())));
        findings.begin_pass();
        findings.end_last_pass();
        let diagnosis = findings.diagnosis(true, Vec::new(), None);
        assert_eq!(diagnosis.findings.len(), MOST);
        assert_eq!(diagnosis.n_findings, MOST as u64 + 5);
        assert!(diagnosis.is_sound());
    }
}
