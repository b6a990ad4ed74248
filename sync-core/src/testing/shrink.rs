//! Makes a failing run shorter while it still fails.

use anyhow::Result;

use super::{
    options::Options,
    plan::{Action, Plan},
    run::{Outcome, run},
    setup::Kit,
};
use crate::device::BatchLimits;

/// How many runs a failure is worth.
const MOST_RUNS: usize = 400;

/// The shortest failing run that was found, and how it went.
pub(crate) async fn shrink(
    kit: &Kit,
    plan: &Plan,
    options: &Options,
    failed: Outcome,
) -> Result<(Plan, Outcome)> {
    let mut best = (plan.clone(), failed);
    let mut left = MOST_RUNS;
    let mut size = best.0.actions.len().div_ceil(2);
    while size > 0 && left > 0 {
        let before = best.0.actions.len();
        let mut at = 0;
        while at < best.0.actions.len() && left > 0 {
            let mut shorter = best.0.clone();
            let end = (at + size).min(shorter.actions.len());
            shorter.actions.drain(at..end);
            if !attempt(kit, &mut best, shorter, options, &mut left).await? {
                at += size;
            }
        }
        if best.0.actions.len() == before {
            size /= 2;
        }
    }
    simplify(kit, &mut best, options, &mut left).await?;
    Ok(best)
}

/// Takes away what is not needed: faults, wrong clocks, small pages.
async fn simplify(
    kit: &Kit,
    best: &mut (Plan, Outcome),
    options: &Options,
    left: &mut usize,
) -> Result<()> {
    for number in 0..best.0.actions.len() {
        let simpler: [fn(&mut Action); 2] = [|a| a.calm = true, |a| a.after_ms = 10];
        for simpler in simpler {
            let mut plan = best.0.clone();
            simpler(&mut plan.actions[number]);
            attempt(kit, best, plan, options, left).await?;
        }
    }
    for number in 0..best.0.devices.len() {
        let mut plan = best.0.clone();
        plan.devices[number].limits = BatchLimits::default();
        attempt(kit, best, plan, options, left).await?;
        let mut plan = best.0.clone();
        plan.devices[number].ahead_ms = 0;
        attempt(kit, best, plan, options, left).await?;
    }
    Ok(())
}

/// Keeps the plan if it fails in the same way.
async fn attempt(
    kit: &Kit,
    best: &mut (Plan, Outcome),
    plan: Plan,
    options: &Options,
    left: &mut usize,
) -> Result<bool> {
    *left = left.saturating_sub(1);
    let outcome = run(kit, &plan, options).await?;
    let fails = outcome.kind().is_some() && outcome.kind() == best.1.kind();
    if fails {
        *best = (plan, outcome);
    }
    Ok(fails)
}
