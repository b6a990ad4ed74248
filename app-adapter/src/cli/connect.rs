//! `zentrio connect`.

use std::{
    fmt,
    io::{self, BufRead, IsTerminal, Write},
};

use clap::{ArgAction, builder::FalseyValueParser};
use serde::Serialize;

use super::{
    exit::Exit,
    output::{Answer, Output, count},
    password,
    plan::Planned,
};
use crate::{
    Adapter, AdapterError, Connect, Connected, DEFAULT_SERVER, LocalData, Prepared, Preview,
    ServerUrl,
};

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
    /// Only tell what connecting and the first sync would do to the data that is here. Nothing is changed.
    #[arg(long, env = "ZENTRIO_DRY_RUN", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    dry_run: bool,
    /// Make the data that is here the account's, also if it was another account's.
    #[arg(long, env = "ZENTRIO_MERGE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    merge: bool,
    /// Leave the data that is here in the database as it is, unsynced, until its own account is connected again.
    #[arg(long, env = "ZENTRIO_SET_ASIDE", conflicts_with = "merge", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    set_aside: bool,
}

impl Args {
    fn local_data(&self) -> LocalData {
        match (self.merge, self.set_aside) {
            (true, _) => LocalData::Merge,
            (false, true) => LocalData::SetAside,
            (false, false) => LocalData::Ask,
        }
    }
}

pub(super) async fn run(
    adapter: &Adapter,
    args: Args,
    output: &Output,
) -> Result<Exit, AdapterError> {
    let (dry_run, local_data) = (args.dry_run, args.local_data());
    let somebody_to_ask = !args.password_stdin && !output.is_json() && is_at_terminal();
    let wanted = wanted(adapter, args).await?;
    if dry_run {
        let prepared = adapter.prepare(&wanted).await?;
        let preview = adapter.preview(&prepared).await;
        adapter.cancel(prepared).await;
        return output.answer(&DryRun { preview: preview? });
    }
    if local_data != LocalData::Ask || !somebody_to_ask {
        return output.answer(&adapter.connect(&wanted).await?);
    }
    let prepared = adapter.prepare(&wanted).await?;
    match ask(adapter, &prepared).await {
        Ok(Some(local_data)) => output.answer(&adapter.finish(prepared, local_data).await?),
        Ok(None) => {
            adapter.cancel(prepared).await;
            Err(AdapterError::Usage(
                "nothing was done: this database is as it was".to_owned(),
            ))
        }
        Err(error) => {
            adapter.cancel(prepared).await;
            Err(error)
        }
    }
}

async fn wanted(adapter: &Adapter, args: Args) -> Result<Connect, AdapterError> {
    let local_data = args.local_data();
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
    Ok(Connect {
        url,
        email,
        password,
        device_name,
        local_user: args.local_user,
        local_data,
    })
}

fn is_at_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows what connecting would do, and asks what is to become of the data that is here. None if nothing is to be
/// done.
async fn ask(adapter: &Adapter, prepared: &Prepared) -> Result<Option<LocalData>, AdapterError> {
    let Some(preview) = adapter.preview(prepared).await? else {
        return Ok(Some(LocalData::Ask));
    };
    let mut terminal = io::stderr();
    write!(
        terminal,
        "{}",
        DryRun {
            preview: Some(preview)
        }
    )?;
    loop {
        write!(terminal, "\nMerge, set aside, or cancel? [m/s/c] ")?;
        terminal.flush()?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if let Some(answer) = answered(&line) {
            return Ok(answer);
        }
    }
}

fn answered(line: &str) -> Option<Option<LocalData>> {
    match line.trim().to_lowercase().as_str() {
        "m" | "merge" => Some(Some(LocalData::Merge)),
        "s" | "set aside" | "set-aside" => Some(Some(LocalData::SetAside)),
        "c" | "cancel" | "q" => Some(None),
        _ => None,
    }
}

/// What connecting would do.
#[derive(Serialize)]
struct DryRun {
    /// Nothing where there is nothing to choose.
    preview: Option<Preview>,
}

impl Answer for DryRun {}

impl fmt::Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(preview) = &self.preview else {
            return writeln!(
                f,
                "There is nothing to choose: no data is here that is not the account's."
            );
        };
        let n_local = count(preview.n_local_rows, "row");
        match &preview.other_account {
            None => writeln!(f, "This database holds {n_local} that no account has yet.")?,
            Some(other) => {
                writeln!(
                    f,
                    "This database holds {n_local} of {} at {}.",
                    other.name, other.url
                )?;
                if other.n_pending > 0 {
                    let n = count(other.n_pending, "row");
                    writeln!(f, "{n} of them with changes that have not been sent there.")?;
                }
            }
        }
        writeln!(f, "\nMerged into {} (--merge):", preview.email)?;
        write!(f, "{}", Planned(&preview.merge))?;
        writeln!(
            f,
            "\nSet aside (--set-aside): they stay here, unsynced, as another user's."
        )?;
        write!(f, "{}", Planned(&preview.set_aside))
    }
}

impl Answer for Connected {}

impl fmt::Display for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Connected to {} as {}.", self.remote_url, self.email)?;
        if let Some(other) = &self.set_aside {
            writeln!(
                f,
                "The data of {other} is set aside: connect with that account to go on with it."
            )?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_of_three() {
        assert_eq!(answered("M\n"), Some(Some(LocalData::Merge)));
        assert_eq!(answered(" set aside"), Some(Some(LocalData::SetAside)));
        assert_eq!(answered("c"), Some(None));
        for unclear in ["", "yes", "mm"] {
            assert_eq!(answered(unclear), None, "{unclear}");
        }
    }
}
