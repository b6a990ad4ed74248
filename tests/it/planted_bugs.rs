//! The simulation is itself tested: mistakes that sync engines make are planted into this one, and the
//! oracles have to find them.

use std::{collections::BTreeMap, thread};

use anyhow::{Context, Result, ensure};
use sync_core::{
    planted::{Bug, plant},
    testing::{Options, Simulation},
};

use crate::simulation::zentrio;

/// Each with the number of seeds within which it has to be found.
const BUGS: [(Bug, u64); 11] = [
    (Bug::ClearedWithoutCount, 60),
    (Bug::CursorBeforeRows, 60),
    (Bug::SequenceForCounter, 60),
    (Bug::CascadeSkips("list_items"), 60),
    (Bug::TieByDevice, 60),
    (Bug::NoAccountFilter("watch_history"), 60),
    (Bug::ForgottenUnnoticed, 40),
    (Bug::MissingIsNull, 60),
    (Bug::ErrorIsVerdict, 60),
    (Bug::PlainUniqueIndex, 60),
    (Bug::AliasNotFollowed, 1_500),
];

fn simulation(bug: Bug) -> Result<Simulation> {
    zentrio(Options {
        // Only then may the server forget what a device has not heard of.
        garbage: bug == Bug::ForgottenUnnoticed,
        ..Options::default()
    })
}

/// The first seed that finds a mistake, and what it says.
fn found(bug: Bug, most: u64) -> Result<Option<(u64, String)>> {
    let zentrio = simulation(bug)?;
    let in_the_schema = bug == Bug::PlainUniqueIndex;
    if !in_the_schema {
        // What all runs begin with is made before anything is planted.
        zentrio.prepare()?;
    }
    plant(Some(bug));
    for seed in 1..=most {
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
        ..Options::default()
    })?
    .failure(1)?;
    ensure!(sound.is_none(), "seed 1 fails: {sound:?}");
    let halves = BUGS.chunks(BUGS.len().div_ceil(2));
    let results: Vec<_> = thread::scope(|scope| {
        let find = |&(bug, most): &(Bug, u64)| (format!("{bug:?}"), found(bug, most));
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
