//! Backups made as the README says, of a server that runs, and put back into a new database.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use sync_tests::{
    Backend, TestDb, on_both_backends,
    postgres::program,
    programs::{Program, ServerProgram, Started, sqlite3},
};

use super::{all_agree, device, number, serve};

on_both_backends!(f32_a_backup_of_a_running_server_is_put_back,);

const FIRST: &str = "
    INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z.png' FROM user;
    INSERT INTO lists (profile_id, name) SELECT id, 'One' FROM profiles";

async fn f32_a_backup_of_a_running_server_is_put_back(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let (a, b) = (device(&server.url())?, device(&server.url())?);
    a.sql(FIRST)?;
    a.sync()?;
    b.sync()?;
    let folder = tempfile::tempdir()?;
    let backup = folder.path().join("backup");
    back_up(&db, &backup)?;
    a.sql("INSERT INTO lists (profile_id, name) SELECT id, 'Since' FROM profiles")?;
    a.sync()?;
    let address = server.address;
    server.kill()?;

    let restored = TestDb::new(db.backend()).await?;
    put_back(&restored, &backup)?;
    let mut epoch = Program::Server.command()?;
    epoch.args(["--database-url", restored.url(), "epoch", "new"]);
    Started::new(&mut epoch, "")?.ended()?.with_code(0)?;
    let _server = ServerProgram::start_again(restored.url(), address)?;

    // The login is in the backup; whose rows are right is for the user to say.
    for file in [&a, &b] {
        file.zentrio(&["sync"])?.with_code(8)?;
    }
    a.zentrio(&["sync", "--keep-mine"])?.with_code(0)?;
    b.zentrio(&["sync", "--take-theirs"])?.with_code(0)?;
    let lists = "SELECT count(*) FROM lists WHERE deleted_at IS NULL";
    ensure!(number(&restored.connect().await?, lists).await? == 2);
    all_agree(&restored, &[&a, &b]).await
}

fn back_up(db: &TestDb, backup: &Path) -> Result<()> {
    match db.backend() {
        Backend::Sqlite => {
            let file = db.file().context("a file")?;
            sqlite3(&file, &format!(".backup '{}'", backup.display()))?;
            Ok(())
        }
        Backend::Postgres => run(Command::new(program("pg_dump")?)
            .args(["--format=custom", "--file"])
            .arg(backup)
            .arg(db.url())),
    }
}

fn put_back(db: &TestDb, backup: &Path) -> Result<()> {
    match db.backend() {
        Backend::Sqlite => {
            std::fs::copy(backup, db.file().context("a file")?)?;
            Ok(())
        }
        Backend::Postgres => run(Command::new(program("pg_restore")?)
            .args(["--no-owner", "--exit-on-error", "--dbname", db.url()])
            .arg(backup)),
    }
}

fn run(command: &mut Command) -> Result<()> {
    let ended = command.output()?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    ensure!(ended.status.success(), "{command:?}: {said}");
    Ok(())
}

/// What is packed with the server says nothing that the server does not know.
#[tokio::test]
async fn the_settings_that_are_packed_are_good() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let settings =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/packaging/zentrio-server.toml");
    let mut user = Program::Server.command()?;
    user.current_dir(folder.path())
        .arg("--config")
        .arg(settings)
        .args(["user", "add", "me@example.com"]);
    Started::new(&mut user, "")?.ended()?.with_code(0)?;
    ensure!(folder.path().join("zentrio-server.sqlite").exists());
    Ok(())
}
