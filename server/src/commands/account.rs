//! `zentrio-server account usage`.

use serde::Serialize;
use server::{
    AppState, Config,
    accounts::{self, Usage},
};

use super::{print, with_state};
use crate::cli::AccountCommand;

/// What `--json` prints.
#[derive(Serialize)]
struct All {
    accounts: Vec<Usage>,
}

pub(crate) async fn run(config: &Config, command: AccountCommand) -> anyhow::Result<()> {
    let AccountCommand::Usage(args) = command;
    with_state(config, async |state| {
        let accounts = match &args.email {
            Some(email) => {
                let account = accounts::find(state, email).await?;
                vec![accounts::usage(state, account).await?]
            }
            None => of_all(state).await?,
        };
        let lines: Vec<String> = accounts.iter().flat_map(lines_of).collect();
        print(args.output.json, &All { accounts }, lines)
    })
    .await
}

async fn of_all(state: &AppState) -> anyhow::Result<Vec<Usage>> {
    let mut all = Vec::new();
    for listed in accounts::list(state).await? {
        all.push(accounts::usage(state, listed.account).await?);
    }
    Ok(all)
}

/// What an account takes up, for people.
pub(super) fn lines_of(usage: &Usage) -> Vec<String> {
    let seen = usage
        .last_seen_at
        .map_or("never".to_owned(), |at| at.to_string());
    let data = &usage.data;
    let mut lines = vec![format!(
        "{} ({}): {} rows, {} tombstones, {} changes, {} devices, last seen {seen}",
        usage.email, usage.user_id, data.n_live, data.n_tombstones, data.head, usage.n_devices
    )];
    lines.extend(data.tables.iter().map(|table| {
        format!(
            "  {}: {} rows, {} tombstones",
            table.table, table.n_live, table.n_tombstones
        )
    }));
    lines
}
