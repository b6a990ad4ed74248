//! `zentrio-server`: reads the command line, runs the command, turns its end into an exit code.

mod cli;
mod commands;

use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
};

use server::Error;
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command, LogFormat};
use crate::commands::NotConfirmed;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::read(env::args_os()).unwrap_or_else(|error| error.exit());
    start_log(cli.database.log_format);
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            exit_code(&error)
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let mut config = cli.database.config();
    cli.serve.apply(&mut config);
    match cli.command {
        None => commands::serve::run(&config).await,
        Some(Command::Serve(args)) => {
            args.apply(&mut config);
            commands::serve::run(&config).await
        }
        Some(Command::User(command)) => commands::user::run(&config, command).await,
        Some(Command::Device(command)) => commands::device::run(&config, command).await,
        Some(Command::Account(command)) => commands::account::run(&config, command).await,
        Some(Command::Gc(args)) => commands::gc::run(&config, &args).await,
        Some(Command::Epoch(command)) => commands::epoch::run(&config, &command).await,
        Some(Command::Import(args)) => commands::import::run(&config, &args).await,
        Some(Command::Completions(args)) => commands::completions::run(&args),
        Some(Command::Migrate) => commands::migrate::run(&config).await,
    }
}

/// What is logged if `ZENTRIO_LOG` does not say.
const DEFAULT_LOG: &str = "info,sea_orm_migration=warn";

/// Stdout is for results, so the log goes to stderr.
fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_env("ZENTRIO_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(is_coloured());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

fn is_coloured() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_off = env::var_os("CLICOLOR").is_some_and(|value| value == "0");
    io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_off
}

/// As documented in `--help`; clap itself ends with 2 on wrong usage.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref() {
        Some(Error::EmailTaken) => ExitCode::from(3),
        Some(Error::UnknownAccount(_) | Error::UnknownDevice) => ExitCode::from(4),
        _ if error.is::<NotConfirmed>() => ExitCode::from(5),
        _ => ExitCode::FAILURE,
    }
}
