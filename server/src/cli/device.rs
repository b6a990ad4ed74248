//! `zentrio-server device …` and `zentrio-server account …`

use clap::{Args, Subcommand};

use super::user::{JsonArgs, UserArgs};

#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// List the devices that may sync for an account.
    List(UserArgs),
    /// End the login of a device. What it has not sent yet stays on it.
    Revoke(RevokeArgs),
}

#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// The account's address.
    pub(crate) email: String,
    /// The device's id, as `device list` prints it.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(crate) device: Option<String>,
    /// All devices of the account.
    #[arg(long, env = "ZENTRIO_ALL_DEVICES")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Tell what an account takes up, or each account: rows by table, tombstones, changes, devices.
    Usage(UsageArgs),
}

#[derive(Args)]
pub(crate) struct UsageArgs {
    /// The account's address; all accounts without one.
    pub(crate) email: Option<String>,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
