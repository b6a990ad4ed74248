//! A copy is kept before anything is changed.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use sync_tests::{
    account::{GENERATION_1, GENERATION_2},
    programs::{DeviceFile, sqlite3},
};

use super::{GENERATIONS, connect};
use crate::binaries::serve;

fn names(device: &DeviceFile) -> Result<Vec<String>> {
    let folder = device.path();
    let folder = folder.parent().context("a folder")?;
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[tokio::test]
async fn it_holds_what_was_there_and_is_the_owners() -> Result<()> {
    for generation in GENERATIONS {
        let device = DeviceFile::of_the_app(generation)?;
        let before = device.dump()?;
        let told = device.zentrio(&["status", "--json"])?.with_code(0)?;
        ensure!(told.json()?["copy_before_sync"] == device.copy().display().to_string());
        ensure!(
            told.stderr.contains("app.sqlite.before-sync"),
            "{}",
            told.stderr
        );
        ensure!(sqlite3(&device.copy(), ".dump")? == before);
        ensure!(
            sqlite3(
                &device.copy(),
                "PRAGMA journal_mode; PRAGMA integrity_check"
            )? == "delete\nok"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(device.copy())?.permissions().mode() & 0o777;
            ensure!(mode == 0o600, "{mode:o}");
        }
        // It is told once, and then in the status.
        let again = device.zentrio(&["status"])?.with_code(0)?;
        ensure!(again.stderr.is_empty(), "{}", again.stderr);
        ensure!(
            again.stdout.contains("app.sqlite.before-sync"),
            "{}",
            again.stdout
        );
        ensure!(names(&device)? == ["app.sqlite", "app.sqlite.before-sync"]);
    }
    Ok(())
}

#[tokio::test]
async fn it_has_what_stands_in_the_journal_beside_the_file() -> Result<()> {
    let device = DeviceFile::of_the_app(GENERATION_2)?;
    // Another program has the file open, so that its journal stays.
    let other = device.open().await?;
    use sea_orm::ConnectionTrait;
    other
        .execute_unprepared("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")
        .await?;
    other
        .execute_unprepared("UPDATE profiles SET name = 'In the journal' WHERE id = 4")
        .await?;
    ensure!(names(&device)?.contains(&"app.sqlite-wal".to_owned()));
    device.status()?;
    let name = "SELECT name FROM profiles WHERE id = 4";
    ensure!(sqlite3(&device.copy(), name)? == "In the journal");
    ensure!(device.sql(name)? == "In the journal");
    other.close().await?;
    Ok(())
}

#[tokio::test]
async fn an_earlier_copy_is_not_written_over() -> Result<()> {
    let device = DeviceFile::of_the_app(GENERATION_1)?;
    fs::write(device.copy(), "mine")?;
    let status = device.status()?;
    let second = format!("{}-2", device.copy().display());
    ensure!(status["copy_before_sync"] == second, "{status}");
    ensure!(fs::read_to_string(device.copy())? == "mine");
    ensure!(sqlite3(Path::new(&second), "SELECT count(*) FROM profiles")? == "2");
    Ok(())
}

#[tokio::test]
async fn a_new_file_and_an_adopted_one_get_none() -> Result<()> {
    let device = DeviceFile::missing()?;
    let status = device.status()?;
    ensure!(status["copy_before_sync"].is_null(), "{status}");
    ensure!(names(&device)? == ["app.sqlite"]);
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_is_left_alone() -> Result<()> {
    let device =
        DeviceFile::of_the_app("CREATE TABLE lists (name TEXT); INSERT INTO lists VALUES ('x')")?;
    let before = fs::read(device.path())?;
    device.zentrio(&["status"])?.with_code(7)?;
    ensure!(fs::read(device.path())? == before);
    ensure!(names(&device)? == ["app.sqlite"]);
    Ok(())
}

/// A program of before has adopted it without making `watch_history` anew, and it is logged in.
#[tokio::test]
async fn what_an_earlier_version_adopted_is_completed_and_its_copy_logs_nobody_in() -> Result<()> {
    let db = sync_tests::TestDb::new(sync_tests::Backend::Sqlite).await?;
    let server = serve(&db)?;
    let device = DeviceFile::of_the_app(GENERATION_1)?;
    connect(&device, &server.url())?;
    fs::remove_file(device.copy())?;
    // As it would be: the constraint of old as an index, and no note of the migration.
    device.sql(
        "DELETE FROM sync_migrations WHERE version LIKE '%000007%';
         CREATE UNIQUE INDEX narrow ON watch_history (profile_id, meta_id)",
    )?;
    let synced = device.sync()?;
    ensure!(synced["n_pending"] == 0, "{synced}");
    ensure!(device.sql("SELECT count(*) FROM sqlite_master WHERE name = 'narrow'")? == "0");
    let token = "SELECT count(*) FROM sync_state WHERE auth_token LIKE 'zs%'";
    ensure!(device.sql(token)? == "1");
    ensure!(sqlite3(&device.copy(), token)? == "0");
    let sealed = device.sql("SELECT auth_token FROM sync_state")?;
    let copy = fs::read(device.copy())?;
    ensure!(
        !copy
            .windows(sealed.len())
            .any(|part| part == sealed.as_bytes())
    );
    Ok(())
}

/// Where a machine does not let one process trace another, this says so and tests nothing.
#[tokio::test]
async fn without_room_for_it_the_file_is_left_as_it_is() -> Result<()> {
    let tried = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("programs cannot be traced here: nothing is tested");
        return Ok(());
    }
    let device = DeviceFile::of_the_app(GENERATION_1)?;
    let before = fs::read(device.path())?;
    let draft = format!("{}.draft", device.copy().display());
    let full = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        &draft,
        "-e",
        "trace=pwrite64",
        "-e",
        "inject=pwrite64:error=ENOSPC:when=3+",
    ];
    let refused = device
        .zentrio_under(&full, &["status", "--json"])?
        .with_code(7)?;
    let json = refused.json()?;
    ensure!(json["error"]["code"] == "no_room_for_copy", "{json}");
    ensure!(fs::read(device.path())? == before);
    ensure!(names(&device)? == ["app.sqlite"], "{:?}", names(&device)?);
    device.status()?;
    ensure!(device.copy().exists());
    Ok(())
}
