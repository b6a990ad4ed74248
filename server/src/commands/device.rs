//! `zentrio-server device list` and `device revoke`.

use serde::Serialize;
use server::{
    AppState, Config,
    accounts::{self, Account},
    devices,
};
use sync_core::protocol::Device;

use super::{print, with_state};
use crate::cli::{DeviceCommand, RevokeArgs};

/// What `device list --json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Devices {
    user_id: String,
    email: String,
    devices: Vec<Device>,
}

/// What `device revoke --json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Revoked {
    user_id: String,
    email: String,
    n_revoked: u64,
}

pub(crate) async fn run(config: &Config, command: DeviceCommand) -> anyhow::Result<()> {
    with_state(config, async |state| match command {
        DeviceCommand::List(args) => list(state, &args.email, args.output.json).await,
        DeviceCommand::Revoke(args) => revoke(state, args).await,
    })
    .await
}

async fn list(state: &AppState, email: &str, json: bool) -> anyhow::Result<()> {
    let Account { id, email, .. } = accounts::find(state, email).await?;
    let devices = devices::list(state, &id).await?;
    let lines: Vec<String> = devices.iter().map(line_of).collect();
    let object = Devices {
        user_id: id,
        email,
        devices,
    };
    print(json, &object, lines)
}

fn line_of(device: &Device) -> String {
    let name = device.name.as_deref().unwrap_or("without a name");
    let seen = device
        .last_seen_at
        .map_or("never".to_owned(), |at| at.to_string());
    format!(
        "{}: {name}, since {}, last seen {seen}",
        device.id, device.created_at
    )
}

async fn revoke(state: &AppState, args: RevokeArgs) -> anyhow::Result<()> {
    let Account { id, email, .. } = accounts::find(state, &args.email).await?;
    let n_revoked = match &args.device {
        Some(device) => {
            devices::revoke(state, &id, device).await?;
            1
        }
        None => devices::revoke_all(state, &id).await?,
    };
    let line = format!("{n_revoked} devices of {email} have to log in again");
    let object = Revoked {
        user_id: id,
        email,
        n_revoked,
    };
    print(args.output.json, &object, [line])
}
