//! The simulation is itself tested: mistakes that sync engines make are planted into this one, and the
//! oracles have to find them.

use std::{collections::BTreeMap, thread};

use anyhow::{Context, Result, ensure};
use sync_core::planted::{Bug, plant};
use sync_tests::simulation::{Options, failure};

/// Each with the number of seeds within which it has to be found. Not found yet, and so not listed: an alias
/// that is not followed, and a plain unique index.
const BUGS: [(Bug, u64); 9] = [
    (Bug::ClearedWithoutCount, 60),
    (Bug::CursorBeforeRows, 60),
    (Bug::SequenceForCounter, 60),
    (Bug::CascadeSkips("list_items"), 60),
    (Bug::TieByDevice, 60),
    (Bug::NoAccountFilter("watch_history"), 60),
    (Bug::ForgottenUnnoticed, 40),
    (Bug::MissingIsNull, 60),
    (Bug::ErrorIsVerdict, 60),
];

/// The first seed that finds a mistake, and what it says.
fn found(bug: Bug, most: u64) -> Result<Option<(u64, String)>> {
    let options = Options {
        // Only then may the server forget what a device has not heard of.
        garbage: bug == Bug::ForgottenUnnoticed,
        ..Options::default()
    };
    plant(Some(bug));
    for seed in 1..=most {
        if let Some(failure) = failure(seed, &options)? {
            return Ok(Some((seed, failure)));
        }
    }
    Ok(None)
}

#[test]
fn every_planted_bug_is_found() -> Result<()> {
    // What all runs begin with is made before anything is planted.
    ensure!(failure(1, &Options::default())?.is_none(), "seed 1 fails");
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
