//! A simulation of several devices and a server: random edits, a network that fails in every way, and
//! oracles that look at what came of it.
//!
//! All chance comes from one seed, time from clocks that are put, ids from counters; one task drives
//! the real engines on real databases. So the same seed is the same run, and a failure can be replayed,
//! shortened and understood.

mod device;
mod dump;
mod edits;
mod ledger;
mod network;
mod options;
mod oracles;
mod plan;
mod rng;
mod run;
mod shrink;
mod stop;
mod tables;
mod template;
mod trace;
mod world;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, bail};

pub use self::options::Options;
use self::{device::lock, plan::Plan, run::run};

/// Runs seeds one after the other, on as many threads as there are processors.
///
/// # Errors
/// The first failure, as a report that says how to see it again.
pub fn run_seeds(seeds: std::ops::Range<u64>, options: &Options) -> Result<()> {
    let next = AtomicU64::new(seeds.start);
    let failed: Mutex<Option<u64>> = Mutex::new(None);
    let broken: Mutex<Option<anyhow::Error>> = Mutex::new(None);
    let work = || {
        while lock(&failed).is_none() && lock(&broken).is_none() {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                break;
            }
            match failure(seed, options) {
                Ok(None) => {}
                Ok(Some(_)) => _ = lock(&failed).get_or_insert(seed),
                Err(error) => _ = lock(&broken).get_or_insert(error),
            }
        }
    };
    let n_threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..n_threads).for_each(|_| _ = scope.spawn(work)));
    if let Some(error) = lock(&broken).take() {
        return Err(error.context("the simulation itself failed"));
    }
    let failed = lock(&failed).take();
    match failed {
        Some(seed) => run_seed(seed, options),
        None => Ok(()),
    }
}

/// Runs one seed; if it fails, makes it as short as it gets and tells what happened.
///
/// # Errors
/// The report of the failure.
pub fn run_seed(seed: u64, options: &Options) -> Result<()> {
    block_on(async {
        let plan = Plan::new(seed, options);
        let outcome = run(&plan, options).await?;
        let Some(failure) = outcome.failure.clone() else {
            return Ok(());
        };
        let (short, short_outcome) = shrink::shrink(&plan, options, outcome.clone()).await?;
        let devices: Vec<String> = short.devices.iter().map(|d| format!("{d:?}")).collect();
        bail!(
            "seed {seed} fails: {failure}\n\n{} actions; the shortest history that fails has {}: {}\n  {}\n{}\n\nreplay it with\n  SIM_SEED={seed}{} cargo test -p sync-tests --test it simulation::one_seed -- --nocapture\n",
            plan.actions.len(),
            short.actions.len(),
            short_outcome.failure.unwrap_or_default(),
            devices.join("\n  "),
            short_outcome.trace.lines().join("\n"),
            if options.backend == crate::Backend::Postgres {
                " SIM_BACKEND=postgres"
            } else {
                ""
            },
        )
    })
}

/// What is wrong with a seed, if anything is.
///
/// # Errors
/// If the simulation itself fails.
pub fn failure(seed: u64, options: &Options) -> Result<Option<String>> {
    block_on(async { Ok(run(&Plan::new(seed, options), options).await?.failure) })
}

/// A number that stands for everything that happened in a run.
///
/// # Errors
/// If the simulation itself fails.
pub fn trace_hash(seed: u64, options: &Options) -> Result<u64> {
    block_on(async { Ok(run(&Plan::new(seed, options), options).await?.trace.hash()) })
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.context("a runtime")?.block_on(work)
}
