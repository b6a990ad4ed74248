//! F02 F05 F08 F38: system calls fail, or the program is killed in them, by `strace`. Where a machine does not
//! let one process trace another, these say so and test nothing.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use sync_tests::{
    Backend, TestDb,
    account::TODAYS_DATABASE,
    programs::{DeviceFile, Ended},
};

use crate::binaries::{all_agree, device, serve};

/// At which of its writes a program is killed: more of the first ones, where most of what is new happens.
const WRITES: [u32; 14] = [1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 29, 38, 50];

/// Whether the machine lets programs be traced.
fn traced() -> bool {
    let tried = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status();
    let traced = tried.is_ok_and(|status| status.success());
    if !traced {
        eprintln!("programs cannot be traced here: nothing is tested");
    }
    traced
}

fn zentrio(device: &DeviceFile, inject: &str, args: &[&str]) -> Result<Ended> {
    let (calls, _) = inject.split_once(':').context("what is to happen")?;
    let (trace, inject) = (format!("trace={calls}"), format!("inject={inject}"));
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &trace,
        "-e",
        &inject,
    ];
    device.zentrio_under(&strace, args)
}

/// A server, a device that is to be hurt, and one that keeps making changes.
async fn world() -> Result<(
    TestDb,
    sync_tests::programs::ServerProgram,
    DeviceFile,
    DeviceFile,
)> {
    let db = TestDb::new(Backend::Sqlite).await?;
    let server = serve(&db)?;
    let (a, b) = (device(&server.url())?, device(&server.url())?);
    a.sql(
        "INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user;
           INSERT INTO lists (profile_id, name) SELECT id, 'Later' FROM profiles",
    )?;
    a.sync()?;
    b.sync()?;
    Ok((db, server, a, b))
}

/// Something to push on one device and to pull from the other.
fn change(a: &DeviceFile, b: &DeviceFile, round: usize) -> Result<()> {
    let item = |device: &DeviceFile, who: &str| {
        device.sql(&format!(
            "INSERT INTO list_items (list_id, meta_id, type) SELECT id, '{who}{round}', 'movie' FROM lists;
             UPDATE profiles SET {} = '{round}'",
            if who == "a" { "name" } else { "avatar" }
        ))
    };
    item(b, "b")?;
    b.sync()?;
    item(a, "a")?;
    Ok(())
}

async fn recovers(db: &TestDb, a: &DeviceFile, b: &DeviceFile, round: usize) -> Result<()> {
    ensure!(a.sql("PRAGMA integrity_check")? == "ok");
    // The lease of a program that was killed would run out by itself.
    a.sql("UPDATE sync_state SET lease_until_ms = 0")?;
    a.sync()?;
    b.sync()?;
    all_agree(db, &[a, b]).await?;
    let items = a.sql("SELECT count(*) || ' ' || count(DISTINCT meta_id) FROM list_items")?;
    let wanted = (round + 1) * 2;
    ensure!(
        items == format!("{wanted} {wanted}"),
        "{items}, not {wanted}"
    );
    Ok(())
}

#[tokio::test]
async fn f02_a_sync_is_killed_at_its_writes() -> Result<()> {
    if !traced() {
        return Ok(());
    }
    let (db, _server, a, b) = world().await?;
    let mut n_killed = 0;
    for (round, write) in WRITES.into_iter().enumerate() {
        change(&a, &b, round)?;
        let ended = zentrio(&a, &format!("pwrite64:signal=KILL:when={write}"), &["sync"])?;
        n_killed += usize::from(ended.code != Some(0));
        recovers(&db, &a, &b, round)
            .await
            .with_context(|| format!("killed at write {write}"))?;
    }
    ensure!(n_killed > WRITES.len() / 2, "killed {n_killed} times only");
    Ok(())
}

#[tokio::test]
async fn f05_f08_a_disk_that_is_full_or_does_not_keep_what_it_is_given() -> Result<()> {
    if !traced() {
        return Ok(());
    }
    let (db, _server, a, b) = world().await?;
    let faults = [
        "pwrite64:error=ENOSPC:when=1+",
        "pwrite64:error=ENOSPC:when=4+",
        "pwrite64:error=ENOSPC:when=12+",
        "fdatasync:error=EIO:when=1+",
        "fdatasync:error=EIO:when=2+",
    ];
    for (round, fault) in faults.into_iter().enumerate() {
        change(&a, &b, round)?;
        let ended = zentrio(&a, fault, &["sync", "--json"])?;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        ensure!(
            ended.signal.is_none() && !said.contains("panicked"),
            "{fault}: {ended:?}"
        );
        recovers(&db, &a, &b, round)
            .await
            .with_context(|| fault.to_owned())?;
    }
    Ok(())
}

/// What the app had, whatever was added beside it.
const THE_APPS: &str = "SELECT name, avatar, avatar_style FROM profiles ORDER BY id;
    SELECT meta_id, season, position, duration FROM watch_history ORDER BY id;
    SELECT meta_id, title FROM list_items ORDER BY id;
    SELECT name FROM settings_profiles ORDER BY id; SELECT name FROM lists ORDER BY id";

#[tokio::test]
async fn f38_a_migration_is_killed_at_its_writes() -> Result<()> {
    if !traced() {
        return Ok(());
    }
    for write in WRITES.into_iter().chain([70, 100, 140, 200]) {
        let device = DeviceFile::of_the_app(TODAYS_DATABASE)?;
        let before = device.sql(THE_APPS)?;
        zentrio(
            &device,
            &format!("pwrite64:signal=KILL:when={write}"),
            &["status"],
        )?;
        ensure!(device.sql("PRAGMA integrity_check")? == "ok", "at {write}");
        let status = device
            .status()
            .with_context(|| format!("killed at {write}"))?;
        ensure!(status["state"] == "not_connected", "{status}");
        ensure!(device.sql(THE_APPS)? == before, "killed at {write}");
        // Capture works as if nothing had happened.
        device.sql("UPDATE profiles SET avatar = 'new'")?;
        ensure!(
            device.sql("SELECT count(*) FROM sync_pending WHERE tbl = 'profiles'")? != "0",
            "killed at {write}"
        );
    }
    Ok(())
}
