//! A file that a newer `zentrio` has changed: this one says so, and leaves it as it is.

use anyhow::{Result, ensure};
use sync_tests::{Backend, TestDb, programs::DeviceFile};

use super::{code, device, serve};

/// Both commands end with 7 and say the same; nothing in the file has changed but what was noted of that.
fn refuses(file: &DeviceFile) -> Result<()> {
    let everything = |file: &DeviceFile| {
        let dump = file.dump()?;
        let lines = dump
            .lines()
            .filter(|line| !line.contains("INTO sync_state"));
        anyhow::Ok(lines.map(str::to_owned).collect::<Vec<_>>())
    };
    let before = everything(file)?;
    let refused = file.zentrio(&["sync", "--json"])?.with_code(7)?.json()?;
    ensure!(code(&refused) == "newer_database", "{refused}");
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    ensure!(
        message.to_lowercase().contains("update this one"),
        "{message}"
    );
    ensure!(everything(file)? == before, "the file has changed");
    Ok(())
}

async fn device_with_a_row() -> Result<(TestDb, sync_tests::programs::ServerProgram, DeviceFile)> {
    let db = TestDb::new(Backend::Sqlite).await?;
    let server = serve(&db)?;
    let file = device(&server.url())?;
    file.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user")?;
    file.sync()?;
    file.sql("UPDATE profiles SET name = 'Edited'")?;
    Ok((db, server, file))
}

#[tokio::test]
async fn sd07_migrations_of_a_newer_version_are_told() -> Result<()> {
    let (_db, _server, file) = device_with_a_row().await?;
    file.sql(
        "INSERT INTO sync_migrations (version, applied_at) VALUES ('m20990101_000001_later', 1)",
    )?;
    refuses(&file)?;
    file.sql("DELETE FROM sync_migrations WHERE version = 'm20990101_000001_later'")?;
    file.sync()?;
    Ok(())
}

#[tokio::test]
async fn sd07_tables_and_columns_that_a_newer_version_synced_are_told() -> Result<()> {
    let (_db, _server, file) = device_with_a_row().await?;
    file.sql(
        "CREATE TABLE ratings (id INTEGER PRIMARY KEY);
         INSERT INTO sync_capture (tbl, fingerprint, columns) VALUES ('ratings', 'x', 'id')",
    )?;
    refuses(&file)?;
    file.sql("DROP TABLE ratings")?;
    file.sync()?;

    file.sql("UPDATE profiles SET name = 'Edited again'")?;
    file.sql(
        "ALTER TABLE profiles ADD COLUMN mood TEXT;
         UPDATE sync_capture SET columns = columns || ',mood' WHERE tbl = 'profiles'",
    )?;
    refuses(&file)?;
    // Local use goes on, and is captured.
    file.sql("UPDATE profiles SET name = 'And again'")?;
    ensure!(file.sql("SELECT count(*) FROM sync_pending WHERE tbl = 'profiles'")? == "1");
    file.sql(
        "UPDATE sync_capture SET columns = replace(columns, ',mood', '') WHERE tbl = 'profiles'",
    )?;
    file.sync()?;
    Ok(())
}
