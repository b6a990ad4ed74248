//! `zentrio completions`.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, exit::Exit};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    #[arg(env = "ZENTRIO_SHELL")]
    shell: Shell,
}

/// The same also with `--json`: it is for a shell to read.
pub(super) fn run(args: &Args) -> io::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "zentrio", &mut script);
    let mut stdout = io::stdout().lock();
    stdout.write_all(&script)?;
    stdout.flush()?;
    Ok(Exit::Done)
}
