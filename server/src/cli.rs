//! The command line. Every flag has an environment variable, and a place in the configuration file.

mod device;
mod file;
mod import;
mod user;

use std::{ffi::OsString, net::SocketAddr};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use server::{Config, TrustedProxies};
use url::Url;

pub(crate) use device::{AccountCommand, DeviceCommand, RevokeArgs};
pub(crate) use import::ImportArgs;
pub(crate) use user::{AddUserArgs, BanArgs, PasswordArgs, RemoveUserArgs, UserCommand};

/// The sync server of Zentrio.
///
/// Without a command it serves. Nothing has to be configured.
#[derive(Parser)]
#[command(name = "zentrio-server", version, after_help = "Exit codes and examples: zentrio-server --help", after_long_help = LONG_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const LONG_HELP: &str = "\
Usage by example:
  zentrio-server user add me@example.com                             prints a password
  zentrio-server --listen 127.0.0.1:8787 --database-url postgres://user@host/name
  zentrio-server --config server.toml
  zentrio-server device revoke me@example.com --all
  zentrio-server account usage --json
  zentrio-server import sqlite://zentrio-server.sqlite postgres://user@host/name
  zentrio-server epoch new                                           after a backup was put back
  zentrio-server completions bash > ~/.local/share/bash-completion/completions/zentrio-server

Every flag has an environment variable and a place in the file named by --config: a flag counts more than the
environment, and that more than the file. Results go to stdout, everything else to stderr; with --json stdout
is one JSON object. ZENTRIO_LOG=debug logs more; NO_COLOR and CLICOLOR=0 switch colours off.

Exit codes:
  0  done
  1  failed; the message says why
  2  wrong usage
  3  the account exists already
  4  there is no such account or device
  5  not done for want of --yes";

impl Cli {
    /// What was said on the command line, in the environment and in the configuration file, in this order.
    pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let args: Vec<OsString> = args.into_iter().collect();
        // The same settings behind the word `serve` are only what is said there.
        let command = Self::command()
            .mut_subcommand("serve", |serve| serve.mut_args(|arg| arg.env(None::<&str>)));
        let mut command = file::with_file(command, &args)?;
        let matches = command.try_get_matches_from_mut(args)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve until stopped by SIGTERM or ctrl-c. This is the default.
    Serve(ServeArgs),
    /// Manage accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Manage the devices of an account.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Look at accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Bring the database's schema up to date and exit. `serve` does it too.
    Migrate,
    /// Forget old tombstones now. `serve` does it once a day.
    Gc(GcArgs),
    /// Move a server from SQLite to Postgres, with all that its devices know. Cut off, it goes on where it was.
    Import(ImportArgs),
    /// The life of the server's data: devices notice a new one, and ask whose rows are right.
    #[command(subcommand)]
    Epoch(EpochCommand),
    /// Print what makes a shell complete the commands and flags of this program.
    Completions(CompletionsArgs),
}

#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(env = "ZENTRIO_SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args)]
pub(crate) struct GcArgs {
    /// Days for which the server must have had a tombstone: 0 forgets all. [default: --tombstone-days]
    ///
    /// Days are counted while the server is in use, because its clock may have been wrong.
    #[arg(long, value_name = "DAYS", env = "ZENTRIO_OLDER_THAN", value_parser = clap::value_parser!(u32).range(..=36500))]
    pub(crate) older_than: Option<u32>,
    /// Print one JSON object on stdout: older_than_days, n_accounts, n_tombstones.
    #[arg(long, env = "ZENTRIO_JSON")]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum EpochCommand {
    /// Print the name of the present life.
    Show(EpochArgs),
    /// Begin a new life: after the database was put back to a backup, and before devices reach it. Every
    /// device then keeps what it has, sends nothing, and waits for its user to say whose rows are right.
    New(EpochArgs),
}

#[derive(Args)]
pub(crate) struct EpochArgs {
    /// Print one JSON object on stdout: epoch, and previous after `new`.
    #[arg(long, env = "ZENTRIO_JSON")]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct DatabaseArgs {
    /// A TOML file with settings, named like the flags: `listen = "0.0.0.0:8787"`.
    #[arg(long, env = "ZENTRIO_CONFIG", global = true, value_name = "FILE")]
    pub(crate) config: Option<String>,
    /// sqlite://FILE or postgres://USER@HOST/NAME [default: sqlite://zentrio-server.sqlite]
    #[arg(
        long,
        env = "ZENTRIO_DATABASE_URL",
        global = true,
        hide_env_values = true
    )]
    database_url: Option<String>,
    /// Days for which the server remembers what was deleted; 0 for ever. A device that was away for longer
    /// fetches everything anew. [default: 180]
    #[arg(long, env = "ZENTRIO_TOMBSTONE_DAYS", global = true, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=36500))]
    tombstone_days: Option<u32>,
    /// Most connections to Postgres. [default: 10]
    #[arg(long, env = "ZENTRIO_DATABASE_CONNECTIONS", global = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    database_connections: Option<u32>,
    /// How to log on stderr. What to log is in ZENTRIO_LOG, such as `debug` or `server=debug`.
    #[arg(
        long,
        env = "ZENTRIO_LOG_FORMAT",
        global = true,
        value_enum,
        default_value = "text"
    )]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Where to listen. Port 0 takes a free one; the line `listening on URL` on stderr tells which. [default: 127.0.0.1:8787]
    #[arg(long, env = "ZENTRIO_LISTEN")]
    listen: Option<SocketAddr>,
    /// Where browsers reach the server. With https:// session cookies are sent over https only.
    #[arg(long, env = "ZENTRIO_PUBLIC_URL", value_parser = origin)]
    public_url: Option<String>,
    /// The secret that signs session cookies. Made up and kept in the database if not given.
    #[arg(long, env = "ZENTRIO_AUTH_SECRET", hide_env_values = true, value_parser = secret)]
    auth_secret: Option<String>,
    /// Whether anybody may make an account. [default: true]
    #[arg(long, env = "ZENTRIO_ALLOW_SIGN_UP", value_name = "BOOL")]
    allow_sign_up: Option<bool>,
    /// Whether an account can log in only when its address was verified: by the web app, or by `user verify`.
    /// [default: false]
    #[arg(long, env = "ZENTRIO_REQUIRE_VERIFIED_EMAIL", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    require_verified_email: Option<bool>,
    /// Take a client's address, which attempts to log in are counted by, from this header: x-forwarded-for
    /// or forwarded, with :N behind it where requests pass N proxies. Only where all of them do.
    #[arg(long, env = "ZENTRIO_TRUST_PROXY", value_name = "HEADER[:N]")]
    trust_proxy: Option<TrustedProxies>,
    /// Days after its last use that a device has to log in again. [default: 365]
    #[arg(long, env = "ZENTRIO_SYNC_TOKEN_DAYS", value_parser = clap::value_parser!(u32).range(1..=36500))]
    sync_token_days: Option<u32>,
    /// A site whose pages may call the server from a browser, such as `https://app.example`. May be repeated.
    #[arg(
        long,
        env = "ZENTRIO_ALLOW_ORIGIN",
        value_parser = origin,
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    allow_origin: Vec<String>,
    /// Where to serve metrics for Prometheus, at /metrics. Nowhere if not given; keep it off the internet.
    #[arg(long, env = "ZENTRIO_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// Most connections of clients at once. [default: 1024]
    #[arg(long, env = "ZENTRIO_MAX_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: Option<u32>,
    /// Most of them from one address, or IPv6 /64. Private addresses, as of a reverse proxy, are not counted.
    /// [default: 64]
    #[arg(long, env = "ZENTRIO_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections_per_address: Option<u32>,
    /// Most bytes of a push, decompressed. [default: 8388608]
    #[arg(long, env = "ZENTRIO_MAX_BODY_BYTES", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(65_536..))]
    max_body_bytes: Option<u32>,
    /// Most bytes of one row. [default: 1048576]
    #[arg(long, env = "ZENTRIO_MAX_ROW_BYTES", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(4_096..))]
    max_row_bytes: Option<u32>,
    /// Most rows that an account may have. Others wait on the device until there is room. [default: no limit]
    #[arg(long, env = "ZENTRIO_MAX_ACCOUNT_ROWS", value_name = "N")]
    max_account_rows: Option<u64>,
}

/// An address of the web without a path, as browsers write it.
fn origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|e| format!("{e}; write it like https://app.example"))?;
    let origin = url.origin();
    if !origin.is_tuple() || !matches!(url.scheme(), "http" | "https") {
        return Err("write it like https://app.example".to_owned());
    }
    match origin.ascii_serialization() {
        origin if origin == text.trim_end_matches('/') => Ok(origin),
        origin => Err(format!("did you mean {origin}?")),
    }
}

/// Short ones can be guessed by whoever has seen one cookie.
fn secret(text: &str) -> Result<String, String> {
    match text.trim().len() {
        16.. => Ok(text.to_owned()),
        _ => Err("a secret has at least 16 characters".to_owned()),
    }
}

impl DatabaseArgs {
    /// The defaults with what was given.
    pub(crate) fn config(&self) -> Config {
        let defaults = Config::default();
        Config {
            database_url: self.database_url.clone().unwrap_or(defaults.database_url),
            database_connections: self
                .database_connections
                .unwrap_or(defaults.database_connections),
            tombstone_days: self.tombstone_days.unwrap_or(defaults.tombstone_days),
            ..defaults
        }
    }
}

impl ServeArgs {
    /// Writes what was given over what is there.
    pub(crate) fn apply(self, config: &mut Config) {
        config.listen = self.listen.unwrap_or(config.listen);
        config.public_url = self.public_url.or(config.public_url.take());
        config.auth_secret = self.auth_secret.or(config.auth_secret.take());
        config.allow_sign_up = self.allow_sign_up.unwrap_or(config.allow_sign_up);
        config.require_verified_email = self
            .require_verified_email
            .unwrap_or(config.require_verified_email);
        config.trust_proxy = self.trust_proxy.or(config.trust_proxy);
        config.sync_token_days = self.sync_token_days.unwrap_or(config.sync_token_days);
        config.metrics_listen = self.metrics_listen.or(config.metrics_listen);
        if !self.allow_origin.is_empty() {
            config.allow_origins = self.allow_origin;
        }
        let set = |limit: &mut usize, given: Option<u32>| {
            *limit = given.map_or(*limit, |given| given as usize);
        };
        set(&mut config.connections.most, self.max_connections);
        set(
            &mut config.connections.most_per_address,
            self.max_connections_per_address,
        );
        set(&mut config.limits.body_bytes, self.max_body_bytes);
        set(&mut config.limits.row_bytes, self.max_row_bytes);
        config.limits.account_rows = self.max_account_rows.or(config.limits.account_rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_the_default_and_takes_its_flags_before_or_after_the_word() {
        for args in [
            [
                "zentrio-server",
                "--database-url",
                "sqlite://x",
                "--listen",
                "127.0.0.1:1",
                "serve",
            ]
            .as_slice(),
            &[
                "zentrio-server",
                "serve",
                "--database-url",
                "sqlite://x",
                "--listen",
                "127.0.0.1:1",
            ],
            &[
                "zentrio-server",
                "--database-url",
                "sqlite://x",
                "--listen",
                "127.0.0.1:1",
            ],
        ] {
            let config = config(args);
            assert_eq!(config.database_url, "sqlite://x");
            assert_eq!(config.listen.port(), 1);
        }
    }

    #[test]
    fn the_database_may_be_named_behind_a_command() {
        let cli = Cli::parse_from([
            "zentrio-server",
            "user",
            "add",
            "a@b",
            "--database-url",
            "sqlite://x",
        ]);
        assert_eq!(cli.database.config().database_url, "sqlite://x");
        assert!(matches!(
            cli.command,
            Some(Command::User(UserCommand::Add(_)))
        ));
    }

    fn read(args: &[&str]) -> Result<Config, String> {
        let cli = Cli::read(args.iter().map(OsString::from)).map_err(|e| e.to_string())?;
        let mut config = cli.database.config();
        cli.serve.apply(&mut config);
        if let Some(Command::Serve(again)) = cli.command {
            again.apply(&mut config);
        }
        Ok(config)
    }

    fn config(args: &[&str]) -> Config {
        read(args).expect("config")
    }

    fn with_file(text: &str, args: &[&str]) -> Result<Config, String> {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("server.toml");
        std::fs::write(&path, text).expect("write");
        let path = path.display().to_string();
        read(&[&["zentrio-server", "--config", &path], args].concat())
    }

    #[test]
    fn a_file_says_what_flags_do_not() {
        let text = "listen = \"127.0.0.1:5\"\ntombstone-days = 7\nallow-sign-up = false\n\
                    allow-origin = [\"https://a.example\", \"https://b.example\"]";
        let config = with_file(text, &[]).expect("config");
        assert_eq!(config.listen.port(), 5);
        assert_eq!(config.tombstone_days, 7);
        assert!(!config.allow_sign_up);
        assert_eq!(
            config.allow_origins,
            ["https://a.example", "https://b.example"]
        );
        for args in [
            ["--listen", "127.0.0.1:6"].as_slice(),
            &["--listen", "127.0.0.1:6", "serve"],
            &["serve", "--listen", "127.0.0.1:6"],
        ] {
            let config = with_file(text, args).expect("config");
            assert_eq!(config.listen.port(), 6, "{args:?}");
            assert_eq!(config.tombstone_days, 7);
        }
    }

    #[test]
    fn a_mistake_in_a_file_is_named() {
        for (text, named) in [
            ("lisen = \"127.0.0.1:5\"", "`lisen`"),
            ("listen = \"everywhere\"", "--listen"),
            ("tombstone-days = -1", "--tombstone-days"),
            ("config = \"other.toml\"", "`config`"),
            ("allow-origin = \"app.example\"", "--allow-origin"),
            ("allow-origin = \"*\"", "--allow-origin"),
            ("public-url = \"https://app.example/path\"", "--public-url"),
            ("auth-secret = \"short\"", "--auth-secret"),
            ("max-body-bytes = 1", "--max-body-bytes"),
            ("database-connections = 0", "--database-connections"),
            ("[listen]\nport = 1", "`listen`"),
            ("listen = ", "server.toml"),
        ] {
            let said = with_file(text, &[]).err().expect("a mistake");
            assert!(said.contains(named), "{text}: {said}");
        }
        let said = read(&["zentrio-server", "--config", "/nowhere/x.toml"]);
        assert!(said.err().expect("a mistake").contains("/nowhere/x.toml"));
    }
}
