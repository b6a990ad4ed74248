//! `zentrio-server gc`.

use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use server::{AppState, Config};
use sync_core::server::Garbage;

use crate::cli::GcArgs;

/// What `--json` prints.
#[derive(Serialize)]
struct Collected {
    older_than_days: u32,
    n_accounts: u64,
    n_tombstones: u64,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) async fn run(config: &Config, args: &GcArgs) -> anyhow::Result<()> {
    let days = args.older_than.unwrap_or(config.tombstone_days);
    anyhow::ensure!(
        args.older_than.is_some() || days > 0,
        "tombstones are kept for ever here: say --older-than DAYS"
    );
    let state = AppState::open(config)
        .await
        .context("cannot open the database")?;
    let collected = state.collect_garbage(DAY * days).await;
    state.close().await;
    report(days, &collected?, args.json)
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
fn report(days: u32, garbage: &Garbage, json: bool) -> anyhow::Result<()> {
    let Garbage {
        n_accounts,
        n_tombstones,
        n_failed,
    } = *garbage;
    if json {
        let collected = Collected {
            older_than_days: days,
            n_accounts,
            n_tombstones,
        };
        println!("{}", serde_json::to_string(&collected)?);
    } else {
        println!("forgot {n_tombstones} tombstones of {n_accounts} accounts");
    }
    anyhow::ensure!(
        n_failed == 0,
        "{n_failed} accounts failed; the log says why"
    );
    Ok(())
}
