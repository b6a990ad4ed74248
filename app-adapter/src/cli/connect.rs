//! `zentrio connect`.

use std::fmt;

use clap::{ArgAction, builder::FalseyValueParser};

use super::{
    exit::Exit,
    output::{Answer, Output, count},
    password,
};
use crate::{Adapter, AdapterError, Connect, Connected, DEFAULT_SERVER, ServerUrl};

/// What it takes to log in.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The server. [default: the one of the last time, or that of zentrio.eu]
    #[arg(long, env = "ZENTRIO_URL")]
    url: Option<String>,
    /// The account's email address. [default: the one of the last time]
    #[arg(long, env = "ZENTRIO_EMAIL")]
    email: Option<String>,
    /// Take the password from the first line of stdin. Without it, ZENTRIO_PASSWORD or a question.
    #[arg(long, env = "ZENTRIO_PASSWORD_STDIN", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    password_stdin: bool,
    /// Whose local data becomes the account's, by id or email, where the database holds several users'.
    #[arg(long, env = "ZENTRIO_LOCAL_USER", value_name = "USER")]
    local_user: Option<String>,
    /// What to call this device in the account's list of devices. [default: the name of the machine]
    #[arg(long, env = "ZENTRIO_DEVICE_NAME", value_name = "NAME")]
    device_name: Option<String>,
    /// Allow http:// in a private network, where whoever listens in learns password and data.
    #[arg(long, env = "ZENTRIO_INSECURE_HTTP", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    insecure_http: bool,
}

pub(super) async fn run(
    adapter: &Adapter,
    args: Args,
    output: &Output,
) -> Result<Exit, AdapterError> {
    let known = adapter.overview().await?.status;
    let url = args
        .url
        .or(known.remote_url)
        .unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    let url = ServerUrl::parse(&url, args.insecure_http)?;
    let email = args.email.or(known.email).ok_or(AdapterError::NoEmail)?;
    let password = password::read(args.password_stdin, &email)?;
    let device_name = args
        .device_name
        .unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned());
    let wanted = Connect {
        url,
        email,
        password,
        device_name,
        local_user: args.local_user,
    };
    output.answer(&adapter.connect(&wanted).await?)
}

impl Answer for Connected {}

impl fmt::Display for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Connected to {} as {}.", self.remote_url, self.email)?;
        if self.local_user_id != self.user_id {
            writeln!(
                f,
                "The data of the local user `{}` is now the account's.",
                self.local_user_id
            )?;
        }
        match self.n_pending {
            0 => writeln!(f, "Next, fetch the account's data: zentrio sync"),
            n => writeln!(
                f,
                "Next, send {} and fetch the account's: zentrio sync",
                count(n, "row")
            ),
        }
    }
}
