//! `zentrio`: syncs a local database from the command line.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    app_adapter::cli::run(std::env::args_os().collect()).await
}
