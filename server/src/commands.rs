//! One file a command.

pub(crate) mod account;
pub(crate) mod completions;
pub(crate) mod device;
pub(crate) mod epoch;
pub(crate) mod gc;
pub(crate) mod import;
pub(crate) mod migrate;
mod password;
pub(crate) mod serve;
pub(crate) mod user;

use anyhow::Context;
use serde::Serialize;
use server::{AppState, Config};

/// Something was not done because nobody said that it should really be.
#[derive(Debug, thiserror::Error)]
#[error("nothing was removed; say --yes to do it")]
pub(crate) struct NotConfirmed;

/// Works on the opened database, and closes it whatever comes of that.
async fn with_state<T>(
    config: &Config,
    work: impl AsyncFnOnce(&AppState) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let state = AppState::open(config)
        .await
        .context("cannot open the database")?;
    let done = work(&state).await;
    state.close().await;
    done
}

/// Prints a result on stdout: as one JSON object, or as the lines for people.
#[expect(clippy::print_stdout, reason = "the result of the command")]
fn print(
    json: bool,
    object: &impl Serialize,
    lines: impl IntoIterator<Item = String>,
) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(object)?);
    } else {
        for line in lines {
            println!("{line}");
        }
    }
    Ok(())
}
