//! `zentrio discard`.

use std::fmt;

use clap::{ArgAction, builder::FalseyValueParser};
use sync_core::device::{DiscardOutcome, Discarded};

use super::{
    exit::Exit,
    output::{Answer, Output, count},
    row::Row,
};
use crate::{Adapter, AdapterError};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    row: Row,
    /// Also remove a row that the server never had, with what belongs to it. A rejected row needs no such word.
    #[arg(long, env = "ZENTRIO_YES", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    yes: bool,
}

pub(super) async fn run(
    adapter: &Adapter,
    args: Args,
    output: &Output,
) -> Result<Exit, AdapterError> {
    let discarded = adapter.discard(&args.row.name(), args.yes).await?;
    output.answer(&Done(discarded))
}

#[derive(serde::Serialize)]
struct Done(Discarded);

impl Answer for Done {}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Discarded {
            table,
            outcome,
            n_removed,
            ..
        } = &self.0;
        match outcome {
            DiscardOutcome::Nothing => writeln!(f, "Nothing of this row is waiting to be sent."),
            DiscardOutcome::TakenBack => writeln!(f, "The row of {table} is as the server has it."),
            DiscardOutcome::Removed => {
                writeln!(
                    f,
                    "The server never had it: removed {}.",
                    count(*n_removed, "row")
                )
            }
        }
    }
}
