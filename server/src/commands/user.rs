//! `zentrio-server user …`

use serde::Serialize;
use server::{
    AppState, Config,
    accounts::{self, Account, Listed, NewAccount, Removed, Until},
};

use super::{NotConfirmed, account::lines_of, password::NewPassword, print, with_state};
use crate::cli::{AddUserArgs, BanArgs, PasswordArgs, RemoveUserArgs, UserCommand};

/// What `--json` prints of a password that was set.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PasswordSet<'a> {
    user_id: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

/// What `--json` prints of the others.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done<'a> {
    user_id: &'a str,
    email: &'a str,
    done: &'static str,
}

/// What `user list --json` prints.
#[derive(Serialize)]
struct All {
    users: Vec<Listed>,
}

pub(crate) async fn run(config: &Config, command: UserCommand) -> anyhow::Result<()> {
    with_state(config, async |state| match command {
        UserCommand::Add(args) => add(state, args).await,
        UserCommand::List(args) => list(state, args.json).await,
        UserCommand::Password(args) => password(state, args).await,
        UserCommand::Ban(args) => ban(state, args).await,
        UserCommand::Unban(args) => {
            let account = accounts::unban(state, &args.email).await?;
            told(&account, "unbanned", args.output.json)
        }
        UserCommand::Verify(args) => {
            let account = accounts::verify_email(state, &args.email).await?;
            told(&account, "verified", args.output.json)
        }
        UserCommand::Remove(args) => remove(state, args).await,
    })
    .await
}

async fn add(state: &AppState, args: AddUserArgs) -> anyhow::Result<()> {
    let password = NewPassword::take(args.password_stdin)?;
    let new = NewAccount {
        email: args.email,
        password: password.text.clone(),
        name: args.name,
    };
    let account = accounts::create(state, new).await?;
    tracing::info!(user_id = account.id, email = account.email, "account made");
    password_set(&account, &password, args.json)
}

async fn password(state: &AppState, args: PasswordArgs) -> anyhow::Result<()> {
    // Found first, so that nobody types a password in vain.
    accounts::find(state, &args.email).await?;
    let password = NewPassword::take(args.password_stdin)?;
    let account = accounts::set_password(state, &args.email, password.text.clone()).await?;
    tracing::info!(user_id = account.id, email = account.email, "password set");
    password_set(&account, &password, args.json)
}

/// Stdout gets the JSON object or the bare password, so that a script can take either as it is.
fn password_set(account: &Account, password: &NewPassword, json: bool) -> anyhow::Result<()> {
    let object = PasswordSet {
        user_id: &account.id,
        email: &account.email,
        password: password.to_tell(),
    };
    print(json, &object, password.to_tell().map(str::to_owned))
}

async fn list(state: &AppState, json: bool) -> anyhow::Result<()> {
    let users = accounts::list(state).await?;
    let lines: Vec<String> = users.iter().map(line_of).collect();
    print(json, &All { users }, lines)
}

fn line_of(user: &Listed) -> String {
    let Account { id, email, .. } = &user.account;
    let verified = if user.account.email_verified {
        ""
    } else {
        ", not verified"
    };
    let banned = match (user.banned, user.ban_expires) {
        (false, _) => String::new(),
        (true, None) => ", banned".to_owned(),
        (true, Some(end)) => format!(", banned until {end}"),
    };
    let seen = user
        .last_seen_at
        .map_or("never".to_owned(), |at| at.to_string());
    let n_devices = user.n_devices;
    format!("{email} ({id}): {n_devices} devices, last seen {seen}{verified}{banned}")
}

async fn ban(state: &AppState, args: BanArgs) -> anyhow::Result<()> {
    let until = args.days.map_or(Until::Lifted, Until::Days);
    let account = accounts::ban(state, &args.email, until, args.reason).await?;
    told(&account, "banned", args.output.json)
}

async fn remove(state: &AppState, args: RemoveUserArgs) -> anyhow::Result<()> {
    let account = accounts::find(state, &args.email).await?;
    let removed = if args.yes {
        accounts::remove(state, account).await?
    } else {
        Removed {
            usage: accounts::usage(state, account).await?,
            removed: false,
        }
    };
    let word = if args.yes {
        "removed"
    } else {
        "would be removed"
    };
    let lines = [word.to_owned()]
        .into_iter()
        .chain(lines_of(&removed.usage));
    print(args.output.json, &removed, lines)?;
    anyhow::ensure!(args.yes, NotConfirmed);
    Ok(())
}

fn told(account: &Account, done: &'static str, json: bool) -> anyhow::Result<()> {
    let object = Done {
        user_id: &account.id,
        email: &account.email,
        done,
    };
    print(json, &object, [format!("{done} {}", account.email)])
}
