//! What `zentrio-server import` takes.

use clap::Args;

#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The server's database now: sqlite://FILE. Stop all servers on it first.
    pub(crate) from: String,
    /// Where it is to be: postgres://USER@HOST/NAME, a database that nobody has used yet.
    pub(crate) to: String,
    /// Print one JSON object on stdout: tables with rows and checksum, n_rows, resumed, n_altered, tables_left,
    /// columns_left.
    #[arg(long, env = "ZENTRIO_JSON")]
    pub(crate) json: bool,
}
