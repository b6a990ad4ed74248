//! The command line. Every flag has an environment variable.

mod completions;
mod connect;
mod discard;
mod disconnect;
mod doctor;
mod exit;
mod explain;
mod leave_out;
mod logs;
mod output;
mod password;
mod plan;
mod retry;
mod row;
mod run;
mod status;
mod sync;

use std::{
    ffi::OsString,
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{
    ArgAction, CommandFactory, Parser, Subcommand,
    builder::{FalseyValueParser, TypedValueParser},
    error::ErrorKind,
};
use tracing_subscriber::EnvFilter;

use self::{exit::Exit, output::Output};
use crate::{Adapter, AdapterError, reporter};

/// Syncs a local Zentrio database with a server.
///
/// The database goes on working without a network: what any program writes to it is noticed, and the next
/// sync sends it and fetches what other devices changed.
#[derive(Debug, Parser)]
#[command(name = "zentrio", version, arg_required_else_help = true, after_help = "Exit codes and examples: zentrio --help", after_long_help = exit::long_help())]
struct Cli {
    /// The SQLite database. It is created if it is missing, and adopted if it is the app's own.
    #[arg(long, env = "ZENTRIO_DATABASE", value_name = "FILE", global = true)]
    database: Option<PathBuf>,
    /// Print one JSON object on stdout, also for an error.
    #[arg(long, env = "ZENTRIO_JSON", global = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    json: bool,
    /// Say on stderr what is being done.
    #[arg(long, short, env = "ZENTRIO_VERBOSE", global = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Log in at a server and tie the account to the local data.
    Connect(connect::Args),
    /// Send local changes and fetch those of other devices.
    Sync(sync::Args),
    /// Keep syncing in the background and serve the Cloud Sync page, until Ctrl-C.
    Run(run::Args),
    /// Tell what is synced, what waits, and what needs somebody's attention. Asks no server.
    Status,
    /// Explain one row: what it holds here and at the server, who set it and when, what waits to be sent.
    Explain(row::Row),
    /// Drop what waits to be sent of one row, and take the server's form of it.
    Discard(discard::Args),
    /// Do without a row of the server that cannot be written here, until it changes elsewhere.
    LeaveOut(row::Row),
    /// Try again what the server refused and what could not be written here.
    Retry(retry::Args),
    /// Look the database over, compare it with the server, and put right what differs.
    Doctor(doctor::Args),
    /// Tell what syncs did, by run, sync and retry, from the log beside the database.
    Logs(logs::Args),
    /// Log out. All data stays here, also what was not sent yet.
    Disconnect,
    /// Print what makes a shell complete the commands and flags of this program.
    Completions(completions::Args),
}

/// Runs the program with its arguments, of which the first is its name, and says how it ended.
///
/// Exit codes, also in `zentrio --help`: 0 done, 1 failed, 2 wrong usage, 3 not connected or not logged in,
/// 4 server not reached or not able now, 5 busy, 6 synced but for some rows, 7 database file unusable,
/// 8 a choice is needed, 9 something is not in order.
pub async fn run(args: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return usage(&error, &args).into(),
    };
    start_log();
    let output = Output::new(cli.json, cli.verbose);
    let exit = match execute(cli, &output).await {
        Ok(exit) => exit,
        Err(error) => output.error(&error),
    };
    exit.into()
}

async fn execute(cli: Cli, output: &Output) -> Result<Exit, AdapterError> {
    if let Command::Completions(args) = &cli.command {
        return Ok(completions::run(args)?);
    }
    let Some(path) = cli.database else {
        return Err(AdapterError::Usage(
            "name the database with --database FILE or ZENTRIO_DATABASE".to_owned(),
        ));
    };
    if let Command::Logs(args) = &cli.command {
        return logs::run(&path, args, output).await;
    }
    let adapter = reporter::during("Opening the database", Adapter::open(&path)).await?;
    if let Some(copy) = adapter.new_copy() {
        output.adopted(copy);
    }
    on_database(cli.command, &path, adapter, output).await
}

async fn on_database(
    command: Command,
    path: &Path,
    adapter: Adapter,
    output: &Output,
) -> Result<Exit, AdapterError> {
    let result = match command {
        Command::Connect(args) => connect::run(&adapter, args, output).await,
        Command::Sync(args) => sync::run(&adapter, path, &args, output).await,
        Command::Run(args) => run::run(&adapter, path, args, output).await,
        Command::Status => status::run(&adapter, output).await,
        Command::Explain(row) => explain::run(&adapter, row, output).await,
        Command::Discard(args) => discard::run(&adapter, args, output).await,
        Command::LeaveOut(row) => leave_out::run(&adapter, row, output).await,
        Command::Retry(args) => retry::run(&adapter, path, args, output).await,
        Command::Doctor(args) => doctor::run(&adapter, &args, output).await,
        Command::Disconnect => disconnect::run(&adapter, output).await,
        // These need no database to be open.
        Command::Logs(_) | Command::Completions(_) => Ok(Exit::Done),
    };
    if let Err(error) = adapter.close().await {
        // The result stands: SQLite tidies up at the next opening.
        tracing::warn!(%error, "the database could not be closed properly");
    }
    result
}

/// clap has no say in the form of its errors, so they are told here where JSON is asked for.
fn usage(error: &clap::Error, args: &[OsString]) -> Exit {
    let asked = args
        .iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| arg == "--json");
    if asked || std::env::var_os("ZENTRIO_JSON").is_some_and(|value| is_truthy(&value)) {
        let text = match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                "name a command; see zentrio --help".to_owned()
            }
            _ => error
                .to_string()
                .trim_start_matches("error: ")
                .trim_end()
                .to_owned(),
        };
        return Output::new(true, false).error(&AdapterError::Usage(text));
    }
    // Where stderr is closed there is nobody to tell.
    let _ = error.print();
    Exit::Usage
}

fn is_truthy(value: &std::ffi::OsStr) -> bool {
    FalseyValueParser::new()
        .parse_ref(&Cli::command(), None, value)
        .unwrap_or(false)
}

/// Stdout is for results, so the log goes to stderr. `ZENTRIO_LOG` says what to log, such as `debug`.
fn start_log() {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let colour = std::io::stderr().is_terminal()
        && !is_set("NO_COLOR")
        && std::env::var_os("CLICOLOR").is_none_or(|value| value != "0");
    let filter = EnvFilter::try_from_env("ZENTRIO_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour)
        .with_writer(std::io::stderr);
    // A program that runs this as a library may have a log of its own.
    let _ = log.try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(line.split(' ')).unwrap_or_else(|e| panic!("{line}: {e}"))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_fixed_commands_parse_with_flags_before_and_behind() {
        for line in [
            "zentrio --database f sync --json",
            "zentrio --json --database f status",
            "zentrio disconnect --database f --json",
        ] {
            let cli = parse(line);
            assert_eq!(cli.database, Some(PathBuf::from("f")), "{line}");
            assert!(cli.json, "{line}");
        }
        let cli = parse(
            "zentrio --database f connect --url http://127.0.0.1:1 --email a@b --password-stdin",
        );
        assert!(matches!(cli.command, Command::Connect(_)) && !cli.json);
    }

    #[test]
    fn every_flag_has_an_environment_variable() {
        let mut command = Cli::command();
        command.build();
        let commands = std::iter::once(&command)
            .chain(command.get_subcommands().filter(|c| c.get_name() != "help"));
        for arg in commands.flat_map(|command| command.get_arguments()) {
            if !matches!(arg.get_id().as_str(), "help" | "version") {
                let name = arg
                    .get_env()
                    .and_then(|name| name.to_str())
                    .unwrap_or_default();
                assert!(name.starts_with("ZENTRIO_"), "{arg}");
            }
        }
    }

    #[test]
    fn the_help_tells_everything() {
        let help = Cli::command().render_long_help().to_string();
        for word in [
            "connect",
            "sync",
            "status",
            "disconnect",
            "explain",
            "leave-out",
            "logs",
            "completions",
            "discard",
            "retry",
            "doctor",
            "run",
            "--json",
            "ZENTRIO_DATABASE",
            "FILE.key",
            "--password-stdin",
        ] {
            assert!(help.contains(word), "{word}");
        }
        for exit in Exit::ALL {
            assert!(help.contains(exit.meaning()), "{exit:?}");
        }
    }
}
