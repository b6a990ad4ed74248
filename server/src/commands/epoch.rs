//! `zentrio-server epoch show` and `epoch new`.

use anyhow::Context;
use serde::Serialize;
use server::{AppState, Config};

use crate::cli::{EpochArgs, EpochCommand};

/// What `--json` prints.
#[derive(Serialize)]
struct Epoch<'a> {
    epoch: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<&'a str>,
}

pub(crate) async fn run(config: &Config, command: &EpochCommand) -> anyhow::Result<()> {
    let state = AppState::open(config)
        .await
        .context("cannot open the database")?;
    let done = match command {
        EpochCommand::Show(args) => show(&state, args).await,
        EpochCommand::New(args) => new(&state, args).await,
    };
    state.close().await;
    done
}

async fn show(state: &AppState, args: &EpochArgs) -> anyhow::Result<()> {
    let epoch = state.epoch().await?;
    report(&epoch, None, args)
}

async fn new(state: &AppState, args: &EpochArgs) -> anyhow::Result<()> {
    let previous = state.epoch().await?;
    let epoch = state.begin_epoch().await?;
    tracing::info!(epoch, previous, "the data began a new life");
    report(&epoch, Some(&previous), args)
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
fn report(epoch: &str, previous: Option<&str>, args: &EpochArgs) -> anyhow::Result<()> {
    if args.json {
        println!("{}", serde_json::to_string(&Epoch { epoch, previous })?);
    } else {
        println!("{epoch}");
    }
    Ok(())
}
