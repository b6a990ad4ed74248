//! What an administrator types, with the program that is shipped.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sync_tests::{
    TestDb, on_both_backends,
    programs::{DeviceFile, Ended, Program, ServerProgram, Started},
};

use super::{ANNA, BEN};

on_both_backends!(
    accounts_are_listed_banned_and_removed,
    a_password_is_set_and_all_logins_end,
    devices_are_listed_and_revoked,
    what_is_not_there_is_told_by_exit_code,
);

const PASSWORD: &str = "correct horse battery";

/// Runs a command on the database, with what it is told on stdin.
fn run(db: &TestDb, args: &[&str], stdin: &str) -> Result<Ended> {
    let mut command = Program::Server.command()?;
    command
        .args(args)
        .args(["--json", "--database-url", db.url()]);
    Started::new(&mut command, stdin)?.ended()
}

fn done(db: &TestDb, args: &[&str]) -> Result<Value> {
    run(db, args, "")?.with_code(0)?.json()
}

/// A server with an account and a device that has synced something.
fn serve(db: &TestDb) -> Result<(ServerProgram, DeviceFile)> {
    let server = crate::binaries::serve(db)?;
    let device = crate::binaries::device(&server.url())?;
    device.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'P', 'p' FROM user")?;
    device.sql("INSERT INTO lists (profile_id, name) SELECT id, 'L' FROM profiles")?;
    device.sync()?;
    device.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP")?;
    device.sync()?;
    Ok((server, device))
}

async fn accounts_are_listed_banned_and_removed(db: TestDb) -> Result<()> {
    let (server, device) = serve(&db)?;
    server.add_user(BEN, PASSWORD)?;
    let users = done(&db, &["user", "list"])?;
    let users = users["users"].as_array().cloned().unwrap_or_default();
    let emails: Vec<&Value> = users.iter().map(|user| &user["email"]).collect();
    ensure!(emails == [ANNA, BEN], "{users:?}");
    ensure!(
        users[0]["nDevices"] == 1 && users[0]["banned"] == false,
        "{users:?}"
    );
    ensure!(users[0]["lastSeenAt"].is_string() && users[1]["lastSeenAt"].is_null());

    let usage = done(&db, &["account", "usage", ANNA])?;
    let usage = &usage["accounts"][0];
    ensure!(usage["nLive"] == 1 && usage["nTombstones"] == 1, "{usage}");
    ensure!(
        usage["tables"][1] == json!({"table": "lists", "nLive": 0, "nTombstones": 1}),
        "{usage}"
    );
    ensure!(
        done(&db, &["account", "usage"])?["accounts"]
            .as_array()
            .map(Vec::len)
            == Some(2)
    );

    done(
        &db,
        &["user", "ban", ANNA, "--reason", "spam", "--days", "2"],
    )?;
    let refused = device.zentrio(&["sync", "--json"])?;
    ensure!(refused.code != Some(0), "{refused:?}");
    let users = done(&db, &["user", "list"])?;
    ensure!(users["users"][0]["banned"] == true && users["users"][0]["banReason"] == "spam");
    ensure!(users["users"][0]["banExpires"].is_string(), "{users}");
    done(&db, &["user", "unban", ANNA])?;
    device.sync()?;

    // Without a word of assent it only says what would go.
    let asked = run(&db, &["user", "remove", ANNA], "")?
        .with_code(5)?
        .json()?;
    ensure!(asked["removed"] == false && asked["nLive"] == 1, "{asked}");
    device.sync()?;
    let removed = done(&db, &["user", "remove", ANNA, "--yes"])?;
    ensure!(
        removed["removed"] == true && removed["nLive"] == 1,
        "{removed}"
    );
    device.zentrio(&["sync", "--json"])?.with_code(3)?;
    let users = done(&db, &["user", "list"])?;
    ensure!(
        users["users"].as_array().map(Vec::len) == Some(1),
        "{users}"
    );
    Ok(())
}

async fn a_password_is_set_and_all_logins_end(db: TestDb) -> Result<()> {
    let (server, device) = serve(&db)?;
    let set = run(
        &db,
        &["user", "password", ANNA, "--password-stdin"],
        "another battery\n",
    )?;
    let set = set.with_code(0)?.json()?;
    ensure!(
        set["email"] == ANNA && set.get("password").is_none(),
        "{set}"
    );
    device.zentrio(&["sync", "--json"])?.with_code(3)?;
    device
        .connect(&server.url(), ANNA, PASSWORD)?
        .with_code(3)?;
    device
        .connect(&server.url(), ANNA, "another battery")?
        .with_code(0)?;
    // One that is made up is told, and works.
    let set = done(&db, &["user", "password", ANNA])?;
    let password = set["password"].as_str().unwrap_or_default();
    device
        .connect(&server.url(), ANNA, password)?
        .with_code(0)?;
    device.sync()?;
    let refused = run(
        &db,
        &["user", "password", ANNA, "--password-stdin"],
        "short\n",
    )?;
    refused.with_code(1)?;
    Ok(())
}

async fn devices_are_listed_and_revoked(db: TestDb) -> Result<()> {
    let (server, device) = serve(&db)?;
    let other = crate::binaries::device(&server.url())?;
    let devices = done(&db, &["device", "list", ANNA])?;
    let devices = devices["devices"].as_array().cloned().unwrap_or_default();
    ensure!(devices.len() == 2, "{devices:?}");
    let id = devices[0]["id"].as_str().unwrap_or_default();
    let revoked = done(&db, &["device", "revoke", ANNA, id])?;
    ensure!(revoked["nRevoked"] == 1, "{revoked}");
    device.zentrio(&["sync", "--json"])?.with_code(3)?;
    other.sync()?;
    let revoked = done(&db, &["device", "revoke", ANNA, "--all"])?;
    ensure!(revoked["nRevoked"] == 1, "{revoked}");
    other.zentrio(&["sync", "--json"])?.with_code(3)?;
    Ok(())
}

async fn what_is_not_there_is_told_by_exit_code(db: TestDb) -> Result<()> {
    crate::binaries::serve(&db)?;
    for (args, code) in [
        (&["user", "password", BEN, "--password-stdin"][..], 4),
        (&["user", "ban", BEN], 4),
        (&["user", "unban", "no address"], 4),
        (&["user", "verify", BEN], 4),
        (&["user", "remove", BEN, "--yes"], 4),
        (&["device", "list", BEN], 4),
        (&["device", "revoke", ANNA, "no such device"], 4),
        (&["device", "revoke", ANNA], 2),
        (&["device", "revoke", ANNA, "x", "--all"], 2),
        (&["account", "usage", BEN], 4),
        (&["user", "ban", ANNA, "--days", "0"], 2),
        (&["user", "verify", ANNA], 0),
    ] {
        let ended = run(&db, args, PASSWORD)?.with_code(code)?;
        ensure!(
            (code == 0) != ended.stdout.is_empty(),
            "{args:?}: {ended:?}"
        );
    }
    Ok(())
}
