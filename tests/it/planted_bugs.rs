//! The simulation is itself tested: mistakes that sync engines make are planted into this one, and the
//! oracles have to find them.

use std::{collections::BTreeMap, thread};

use anyhow::{Context, Result, ensure};
use sync_core::{
    planted::{Bug, plant},
    testing::{Options, Simulation},
};

use crate::simulation::{options, zentrio};

/// Each with the seeds within which it has to be found. The rarer ones begin where somebody has found them once.
const BUGS: [(Bug, u64, u64); 12] = [
    (Bug::ClearedWithoutCount, 1, 60),
    (Bug::CursorBeforeRows, 1, 60),
    (Bug::SequenceForCounter, 1, 60),
    (Bug::CascadeSkips("list_items"), 1, 60),
    (Bug::TieByDevice, 1, 60),
    (Bug::NoAccountFilter("watch_history"), 1, 60),
    (Bug::ForgottenUnnoticed, 1, 40),
    (Bug::MissingIsNull, 1, 60),
    (Bug::ErrorIsVerdict, 1, 60),
    (Bug::FlagsNotSettled, 1, 60),
    (Bug::AliasNotFollowed, 380, 1_500),
    // The last of its thread: it stays in the databases.
    (Bug::PlainUniqueIndex, 1, 60),
];

fn simulation(bug: Bug) -> Result<Simulation> {
    zentrio(Options {
        // Only then may the server forget what a device has not heard of.
        garbage: bug == Bug::ForgottenUnnoticed,
        ..options()
    })
}

/// The first seed that finds a mistake, and what it says.
fn found(bug: Bug, first: u64, last: u64) -> Result<Option<(u64, String)>> {
    let zentrio = simulation(bug)?;
    let in_the_schema = bug == Bug::PlainUniqueIndex;
    if !in_the_schema {
        // What all runs begin with is made before anything is planted.
        zentrio.prepare()?;
    }
    plant(Some(bug));
    for seed in first..=last {
        if let Some(failure) = zentrio.failure(seed)? {
            return Ok(Some((seed, failure)));
        }
    }
    Ok(None)
}

#[test]
fn every_planted_bug_is_found() -> Result<()> {
    let sound = zentrio(Options {
        garbage: false,
        ..options()
    })?
    .failure(1)?;
    ensure!(sound.is_none(), "seed 1 fails: {sound:?}");
    let halves = BUGS.chunks(BUGS.len().div_ceil(2));
    let results: Vec<_> = thread::scope(|scope| {
        let find =
            |&(bug, first, last): &(Bug, u64, u64)| (format!("{bug:?}"), found(bug, first, last));
        let threads: Vec<_> = halves
            .map(|bugs| scope.spawn(move || bugs.iter().map(find).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join())
            .flatten()
            .collect()
    });
    let results: BTreeMap<String, Result<_>> = results.into_iter().collect();
    ensure!(results.len() == BUGS.len(), "a search panicked");
    let mut missed = Vec::new();
    for (bug, result) in results {
        match result.with_context(|| bug.clone())? {
            Some((seed, failure)) => {
                let failure: String = failure.chars().take(160).collect();
                eprintln!("{bug}: seed {seed}: {}", failure.replace('\n', " "));
            }
            None => missed.push(bug),
        }
    }
    ensure!(missed.is_empty(), "nobody complains of {missed:?}");
    Ok(())
}
