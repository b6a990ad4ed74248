//! `zentrio-server user add`.

use std::io::{self, BufRead};

use anyhow::Context;
use serde::Serialize;
use server::{
    AppState, Config,
    accounts::{self, Account, NewAccount},
};

use crate::cli::AddUserArgs;

/// What `--json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Added<'a> {
    user_id: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

pub(crate) async fn add(config: &Config, args: AddUserArgs) -> anyhow::Result<()> {
    let made_up = (!args.password_stdin).then(made_up_password);
    let password = match &made_up {
        Some(password) => password.clone(),
        None => password_from_stdin()?,
    };
    let state = AppState::open(config)
        .await
        .context("cannot open the database")?;
    let added = accounts::create(
        &state,
        NewAccount {
            email: args.email,
            password,
            name: args.name,
        },
    )
    .await;
    state.close().await;
    report(&added?, made_up.as_deref(), args.json)
}

/// Stdout gets the JSON object or the bare password, so that a script can take either as it is.
#[expect(clippy::print_stdout, reason = "the result of the command")]
fn report(account: &Account, password: Option<&str>, json: bool) -> anyhow::Result<()> {
    tracing::info!(user_id = account.id, email = account.email, "account made");
    if json {
        println!(
            "{}",
            serde_json::to_string(&Added {
                user_id: &account.id,
                email: &account.email,
                password
            })?
        );
    } else if let Some(password) = password {
        println!("{password}");
    }
    Ok(())
}

fn password_from_stdin() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the password from stdin")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// 100 random bits in letters and digits that are hard to mistake for one another.
fn made_up_password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random: [u8; 20] = rand::random();
    let letters: Vec<char> = random
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect();
    letters
        .chunks(5)
        .map(String::from_iter)
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_passwords_are_long_and_differ() {
        let password = made_up_password();
        assert_eq!(password.len(), 23);
        assert!(
            password
                .chars()
                .all(|c| c == '-' || c.is_ascii_alphanumeric()),
            "{password}"
        );
        assert_ne!(password, made_up_password());
    }
}
