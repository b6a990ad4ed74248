//! `zentrio-server user …`

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account. Without --password-stdin it makes up a password and prints it on stdout.
    Add(AddUserArgs),
    /// List all accounts.
    List(JsonArgs),
    /// Give an account another password; all its sessions and devices have to log in again. Without
    /// --password-stdin it makes up a password and prints it on stdout.
    Password(PasswordArgs),
    /// Shut an account out: its sessions end, and its devices are refused at once and for as long as the
    /// ban lasts.
    Ban(BanArgs),
    /// Let an account in again. Its devices go on by themselves.
    Unban(UserArgs),
    /// Say that the address is the user's own, where only such accounts may log in.
    Verify(UserArgs),
    /// Remove an account with all its rows, sessions and devices, for good. Says what that is and does it
    /// only with --yes.
    Remove(RemoveUserArgs),
}

#[derive(Args)]
pub(crate) struct JsonArgs {
    /// Print one JSON object on stdout.
    #[arg(long, env = "ZENTRIO_JSON")]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct UserArgs {
    /// The account's address.
    pub(crate) email: String,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Args)]
pub(crate) struct AddUserArgs {
    /// The address to log in with.
    pub(crate) email: String,
    /// What to call the user. The address up to the @ if not given.
    #[arg(long, env = "ZENTRIO_USER_NAME")]
    pub(crate) name: Option<String>,
    /// Take the password from the first line of stdin.
    #[arg(long, env = "ZENTRIO_PASSWORD_STDIN")]
    pub(crate) password_stdin: bool,
    /// Print one JSON object on stdout: userId, email, and the password if it was made up.
    #[arg(long, env = "ZENTRIO_JSON")]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct PasswordArgs {
    /// The account's address.
    pub(crate) email: String,
    /// Take the password from the first line of stdin.
    #[arg(long, env = "ZENTRIO_PASSWORD_STDIN")]
    pub(crate) password_stdin: bool,
    /// Print one JSON object on stdout: userId, email, and the password if it was made up.
    #[arg(long, env = "ZENTRIO_JSON")]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct BanArgs {
    /// The account's address.
    pub(crate) email: String,
    /// Why, for administrators.
    #[arg(long, env = "ZENTRIO_BAN_REASON")]
    pub(crate) reason: Option<String>,
    /// Days until the ban ends by itself. Without it, only `user unban` ends it.
    #[arg(long, value_name = "DAYS", env = "ZENTRIO_BAN_DAYS", value_parser = clap::value_parser!(u32).range(1..=36500))]
    pub(crate) days: Option<u32>,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Args)]
pub(crate) struct RemoveUserArgs {
    /// The account's address.
    pub(crate) email: String,
    /// Really do it. Without it, the end is exit code 5, and nothing was done.
    #[arg(long, env = "ZENTRIO_YES")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
