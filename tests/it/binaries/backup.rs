//! An operator puts the server back to a backup, with and without saying so; and forgets old tombstones.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use sync_tests::{
    Backend, TestDb, on_both_backends,
    programs::{DeviceFile, Ended, Program, ServerProgram, Started},
};

use super::{EMAIL, PASSWORD, all_agree, code, device, number, serve};

on_both_backends!(
    gc_the_command_forgets_and_devices_that_were_away_come_back,
    f32_epoch_new_makes_every_device_ask,
);

const FIRST: &str = "
    INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z.png' FROM user;
    INSERT INTO lists (profile_id, name) SELECT id, 'One' FROM profiles;
    INSERT INTO lists (profile_id, name) SELECT id, 'Two' FROM profiles";

const LISTS: &str = "SELECT group_concat(name) FROM
    (SELECT name FROM lists WHERE deleted_at IS NULL ORDER BY name)";

fn operator(db: &TestDb, args: &[&str]) -> Result<Ended> {
    let mut command = Program::Server.command()?;
    command.args(["--database-url", db.url()]).args(args);
    Started::new(&mut command, "")?.ended()
}

/// A server's file with what SQLite keeps beside it.
fn files(db: &TestDb) -> Result<[PathBuf; 3]> {
    let file = db.file().context("a file")?;
    Ok(["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", file.display()))))
}

/// What `zentrio sync` says that needs a person.
fn asks(file: &DeviceFile) -> Result<String> {
    let before = file.sql(LISTS)?;
    let refused = file.zentrio(&["sync", "--json"])?.with_code(8)?.json()?;
    ensure!(file.sql(LISTS)? == before, "it touched rows");
    Ok(code(&refused).to_owned())
}

#[tokio::test]
async fn f32_a_server_put_back_to_an_older_file_loses_nothing() -> Result<()> {
    for said in [false, true] {
        let db = TestDb::new(Backend::Sqlite).await?;
        let server = serve(&db)?;
        let (a, b) = (device(&server.url())?, device(&server.url())?);
        a.sql(FIRST)?;
        a.sync()?;
        b.sync()?;
        let address = server.address;
        server.stop()?;
        let [file, wal, shm] = files(&db)?;
        let backup = file.with_extension("backup");
        fs::copy(&file, &backup)?;
        let server = ServerProgram::start_again(db.url(), address)?;
        a.sql("INSERT INTO lists (profile_id, name) SELECT id, 'Since' FROM profiles")?;
        a.sync()?;
        b.sync()?;
        server.stop()?;
        fs::copy(&backup, &file)?;
        for beside in [wal, shm] {
            // They are there only if the server did not end well.
            let _ = fs::remove_file(beside);
        }
        if said {
            operator(&db, &["epoch", "new"])?.with_code(0)?;
        }
        let _server = ServerProgram::start_again(db.url(), address)?;
        a.sql("UPDATE lists SET name = 'Edited' WHERE name = 'One'")?;
        b.sql("INSERT INTO lists (profile_id, name) SELECT id, 'Unpushed' FROM profiles")?;

        let expected = if said {
            "epoch_changed"
        } else {
            "cursor_ahead"
        };
        for file in [&a, &b] {
            for _ in 0..2 {
                ensure!(asks(file)? == expected, "{}", asks(file)?);
            }
        }
        let lists = "SELECT count(*) FROM lists";
        ensure!(
            number(&db.connect().await?, lists).await? == 2,
            "something was sent"
        );

        // One keeps what it has, the other takes what the server has: what was not pushed stays in both.
        b.zentrio(&["sync", "--take-theirs"])?.with_code(0)?;
        ensure!(b.sql(LISTS)? == "One,Two,Unpushed", "{}", b.sql(LISTS)?);
        a.zentrio(&["sync", "--keep-mine"])?.with_code(0)?;
        b.sync()?;
        a.sync()?;
        for file in [&a, &b] {
            ensure!(
                file.sql(LISTS)? == "Edited,Since,Two,Unpushed",
                "{}",
                file.sql(LISTS)?
            );
        }
        all_agree(&db, &[&a, &b]).await?;
    }
    Ok(())
}

async fn f32_epoch_new_makes_every_device_ask(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let (a, b) = (device(&server.url())?, device(&server.url())?);
    a.sql(FIRST)?;
    a.sync()?;
    b.sync()?;
    let shown = operator(&db, &["epoch", "show", "--json"])?
        .with_code(0)?
        .json()?;
    // While the server runs.
    let new = operator(&db, &["epoch", "new", "--json"])?
        .with_code(0)?
        .json()?;
    ensure!(
        new["previous"] == shown["epoch"] && new["epoch"] != shown["epoch"],
        "{new}"
    );
    for file in [&a, &b] {
        ensure!(asks(file)? == "epoch_changed");
        file.zentrio(&["sync", "--take-theirs"])?.with_code(0)?;
    }
    // A device that is new has nothing to ask.
    let c = device(&server.url())?;
    c.sync()?;
    all_agree(&db, &[&a, &b, &c]).await
}

async fn gc_the_command_forgets_and_devices_that_were_away_come_back(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let (a, b) = (device(&server.url())?, device(&server.url())?);
    a.sql(FIRST)?;
    a.sync()?;
    b.sync()?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'One'")?;
    a.sync()?;
    let young = operator(&db, &["gc", "--json"])?.with_code(0)?.json()?;
    ensure!(
        young["older_than_days"] == 180 && young["n_tombstones"] == 0,
        "{young}"
    );
    let all = operator(&db, &["gc", "--older-than", "0", "--json"])?
        .with_code(0)?
        .json()?;
    ensure!(all["n_tombstones"] == 1 && all["n_accounts"] == 1, "{all}");
    b.sql("UPDATE lists SET is_default = 1 WHERE name = 'One'")?;
    b.sql("INSERT INTO lists (profile_id, name) SELECT id, 'Offline' FROM profiles")?;
    b.sync()?;
    a.sync()?;
    for file in [&a, &b] {
        ensure!(file.sql(LISTS)? == "Offline,Two", "{}", file.sql(LISTS)?);
    }
    all_agree(&db, &[&a, &b]).await
}

/// The account has the same name there, and is another one.
#[tokio::test]
async fn another_server_at_the_same_address_gets_nothing() -> Result<()> {
    let (db, other) = (
        TestDb::new(Backend::Sqlite).await?,
        TestDb::new(Backend::Sqlite).await?,
    );
    let server = serve(&db)?;
    let a = device(&server.url())?;
    a.sql(FIRST)?;
    a.sync()?;
    let address = server.address;
    server.stop()?;
    ServerProgram::add_user_to(other.url(), EMAIL, PASSWORD)?.with_code(0)?;
    let stranger = ServerProgram::start_again(other.url(), address)?;
    a.sql("UPDATE lists SET name = 'Edited' WHERE name = 'One'")?;

    // The login is not known there; logged in again it is another account.
    a.zentrio(&["sync", "--json"])?.with_code(3)?;
    let refused = a
        .connect(&stranger.url(), EMAIL, PASSWORD)?
        .with_code(8)?
        .json()?;
    ensure!(code(&refused) == "other_account", "{refused}");
    let lists = "SELECT count(*) FROM lists";
    ensure!(number(&other.connect().await?, lists).await? == 0);
    stranger.stop()?;
    let _server = ServerProgram::start_again(db.url(), address)?;
    a.sync()?;
    ensure!(a.sql(LISTS)? == "Edited,Two");
    all_agree(&db, &[&a]).await
}
