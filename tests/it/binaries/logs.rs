//! The log beside a database, and rows that are left out.

use std::{fs, os::unix::fs::PermissionsExt};

use anyhow::{Result, ensure};
use serde_json::Value;
use sync_tests::{
    TestDb, on_both_backends,
    programs::{DeviceFile, Program, Started},
};

use super::{device, serve};

on_both_backends!(what_syncs_did_is_told_later);

fn logs(file: &DeviceFile, args: &[&str]) -> Result<Vec<Value>> {
    let told = file.zentrio(&[&["logs", "--json"], args].concat())?;
    let told = told.with_code(0)?.json()?;
    Ok(told["entries"].as_array().cloned().unwrap_or_default())
}

async fn what_syncs_did_is_told_later(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let a = device(&server.url())?;
    ensure!(logs(&a, &[])?.is_empty(), "connecting is no sync");
    a.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user")?;
    a.sync()?;
    a.zentrio(&["run", "--once"])?.with_code(0)?;
    let told = logs(&a, &[])?;
    let (first, last) = (&told[0], &told[told.len() - 1]);
    ensure!(first["by"] == "sync" && first["event"] == "synced" && first["n_pushed"] == 1);
    ensure!(last["by"] == "run" && last["event"] == "synced" && last["n_pushed"] == 0);
    ensure!(logs(&a, &["-n", "1"])? == told[told.len() - 1..]);

    let mut job = a.start_zentrio(&["run", "--listen", "127.0.0.1:0"])?;
    while !job.said().contains("Cloud Sync: http") {
        ensure!(job.is_running()?, "{}", job.said());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    job.terminate()?.with_code(0)?;
    let told = logs(&a, &[])?;
    let of_the_job: Vec<_> = told
        .iter()
        .filter_map(|line| line["event"].as_str())
        .collect();
    ensure!(
        of_the_job.contains(&"started") && of_the_job.last() == Some(&"stopped"),
        "{told:?}"
    );

    let log = a.path().with_extension("sqlite.log");
    let mode = fs::metadata(&log)?.permissions().mode();
    ensure!(mode & 0o777 == 0o600, "others can read it: {mode:o}");

    let mut follow = a.start_zentrio(&["logs", "-n", "0", "--follow"])?;
    server.kill()?;
    a.zentrio(&["sync"])?.with_code(4)?;
    while !follow.said().contains("offline: the server is not reached") {
        ensure!(follow.is_running()?, "{}", follow.said());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    ensure!(!follow.said().contains("sent 1 row"), "{}", follow.said());
    follow.terminate()?.with_code(0)?;
    Ok(())
}

/// Also where there is no database at all: it is not made.
#[test]
fn without_a_log_that_is_said() -> Result<()> {
    let file = DeviceFile::missing()?;
    let told = file.zentrio(&["logs"])?.with_code(0)?;
    ensure!(told.stdout.contains("There is no log"), "{told:?}");
    ensure!(!file.path().exists());
    Ok(())
}

/// A log that cannot be written takes nothing along with it.
#[test]
fn where_no_log_can_be_written_all_else_goes_on() -> Result<()> {
    let file = DeviceFile::missing()?;
    file.status()?;
    fs::create_dir(file.path().with_extension("sqlite.log"))?;
    let told = file.zentrio(&["sync", "--json"])?.with_code(3)?.json()?;
    ensure!(told["error"]["code"] == "not_connected", "{told}");
    Ok(())
}

#[test]
fn a_row_that_cannot_be_written_here_is_left_out() -> Result<()> {
    let file = DeviceFile::missing()?;
    file.status()?;
    let name = "0190f1c2-7e3a-7b3c-8d2e-0a1b2c3d4e5f";
    file.sql(&format!(
        "INSERT INTO sync_quarantine (tbl, remote_id, raw, code, reason, at, since)
         VALUES ('lists', '{name}', '{{}}', 'unreadable', 'no reason', 1, 1)"
    ))?;
    let told = file.zentrio(&["status"])?.with_code(0)?;
    ensure!(told.stdout.contains("zentrio leave-out"), "{told:?}");
    for (table, waits) in [("profiles", false), ("lists", true), ("lists", false)] {
        let told = file.zentrio(&["leave-out", table, name, "--json"])?;
        let told = told.with_code(0)?.json()?;
        ensure!(told["was_waiting"] == waits, "{table}: {told}");
    }
    ensure!(file.status()?["quarantined"] == serde_json::json!([]));
    let mut nameless = Program::Device.command()?;
    let args = ["leave-out", "lists", name];
    Started::new(nameless.args(args), "")?
        .ended()?
        .with_code(2)?;
    Ok(())
}
