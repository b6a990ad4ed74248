//! The simulation is itself tested: mistakes that sync engines make are planted into this one, and the
//! oracles have to find each of them.

use std::{collections::BTreeMap, thread};

use anyhow::{Context, Result, ensure};
use sync_core::planted::{Bug, plant};
use sync_tests::simulation::{Options, failure};

/// Each with the number of seeds within which it has to be found: several times what it takes.
const BUGS: [(Bug, u64); 11] = [
    (Bug::ClearedWithoutCount, 200),
    (Bug::CursorBeforeRows, 200),
    (Bug::SequenceForCounter, 200),
    (Bug::CascadeSkips("list_items"), 200),
    (Bug::TieByDevice, 200),
    (Bug::NoAccountFilter("watch_history"), 200),
    (Bug::AliasNotFollowed, 200),
    (Bug::ForgottenUnnoticed, 200),
    (Bug::MissingIsNull, 200),
    (Bug::PlainUniqueIndex, 200),
    (Bug::ErrorIsVerdict, 200),
];

/// The first seed that finds a mistake, and what it says.
fn found(bug: Bug, most: u64) -> Result<Option<(u64, String)>> {
    plant(Some(bug));
    for seed in 1..=most {
        if let Some(failure) = failure(seed, &Options::default())? {
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
        threads.into_iter().flat_map(|thread| thread.join()).flatten().collect()
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
