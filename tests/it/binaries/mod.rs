//! The two programs driven from outside, with `sqlite3` in the role of the app, as people and scripts do.

mod adopted_server;
mod adoption;
mod backup;
mod exit_codes;
mod help;
mod import;
mod killed;
mod logs;
mod main_job;
mod newer_database;
mod operating;
mod people;
mod restore;
pub(crate) mod secrets;

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::Value;
use sync_tests::{
    TestDb,
    programs::{DeviceFile, ServerProgram},
    synced_rows::live_rows,
};

pub(crate) const EMAIL: &str = "anna@example.org";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server with one account.
pub(crate) fn serve(db: &TestDb) -> Result<ServerProgram> {
    ServerProgram::add_user_to(db.url(), EMAIL, PASSWORD)?.with_code(0)?;
    ServerProgram::start(db.url())
}

/// A device of the account at this address, in a file that was not there before.
pub(crate) fn device(url: &str) -> Result<DeviceFile> {
    let device = DeviceFile::missing()?;
    device.connect(url, EMAIL, PASSWORD)?.with_code(0)?;
    Ok(device)
}

/// Checks that these devices and the server hold the same, whole, and have nothing left to do.
pub(crate) async fn all_agree(db: &TestDb, devices: &[&DeviceFile]) -> Result<()> {
    let at_server = live_rows(&db.connect().await?).await?;
    for (number, device) in devices.iter().enumerate() {
        is_at_rest(device).with_context(|| format!("device {number}"))?;
        let there = live_rows(&device.open().await?).await?;
        for (table, rows) in &at_server {
            let there = &there[table];
            ensure!(
                there == rows,
                "device {number} has in {table} {there:#?}, the server {rows:#?}"
            );
        }
    }
    Ok(())
}

fn is_at_rest(device: &DeviceFile) -> Result<()> {
    let again = device.sync()?;
    for count in [
        "n_pushed",
        "n_pulled",
        "n_rejected",
        "n_quarantined",
        "n_conflicts",
        "n_pending",
    ] {
        ensure!(again[count] == 0, "another sync did something: {again}");
    }
    let status = device.status()?;
    ensure!(status["state"] == "synced", "{status}");
    ensure!(
        device.sql("PRAGMA integrity_check")? == "ok",
        "the file is damaged"
    );
    let broken = device.sql("PRAGMA foreign_key_check")?;
    ensure!(broken.is_empty(), "references that lead nowhere: {broken}");
    Ok(())
}

/// The error code in what a program printed.
fn code(json: &Value) -> &str {
    json["error"]["code"].as_str().unwrap_or_default()
}

/// The one whole number that a query of the server's database gives.
async fn number(db: &DatabaseConnection, sql: &str) -> Result<i64> {
    let sql = format!("SELECT CAST(({sql}) AS BIGINT) AS n");
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    Ok(row.context("no row")?.try_get("", "n")?)
}
