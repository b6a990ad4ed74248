//! How simulations end.

use std::{error::Error, fmt};

/// All seeds held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many were run.
    pub seeds: u64,
    /// Tables and columns that were not edited, and why.
    pub left_alone: Vec<String>,
}

/// A seed that fails, or a simulation that could not be run.
///
/// Both its forms, [`Display`](fmt::Display) and [`Debug`], are the report for people.
#[derive(Clone)]
pub struct Failure {
    pub(crate) seed: Option<u64>,
    pub(crate) what: String,
    pub(crate) report: String,
}

impl Failure {
    /// The seed that fails; none where the simulation itself could not be run.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// What is wrong, in a line: the name of the rule that is broken, a colon, and how.
    pub fn what(&self) -> &str {
        &self.what
    }

    pub(crate) fn broken(error: &anyhow::Error) -> Self {
        let what = format!("{error:#}");
        let report = match what.starts_with("LAWS") {
            true => what.clone(),
            false => format!("the simulation cannot be run: {what}"),
        };
        Self {
            seed: None,
            what,
            report,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl Error for Failure {}
