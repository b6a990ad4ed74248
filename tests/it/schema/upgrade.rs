//! Programs of two versions around one account: what the older could not keep comes when it is upgraded.

use std::sync::Arc;

use anyhow::Result;
use sea_orm::DatabaseConnection;
use sync_core::{Registry, SystemClock, UuidV7};
use sync_tests::{
    InProcessServer, TestDb, TestDevice,
    device::{fresh_file, open},
    on_both_backends,
};
use tempfile::TempDir;

use super::note::{add_color, create_first, first, second};

on_both_backends!(
    sd02_an_older_device_does_not_erase_what_it_does_not_know,
    sd04_a_column_added_later_is_pulled_again,
    a_table_added_later_is_pulled_from_the_beginning,
    an_edit_before_the_upgrade_is_not_lost,
);

fn old() -> Result<Registry> {
    Ok(Registry::builder().table::<first::Entity>().build()?)
}

fn new() -> Result<Registry> {
    Ok(Registry::builder().table::<second::Entity>().build()?)
}

/// A server and a device that know the colour of notes, with two notes.
async fn world(database: TestDb) -> Result<(InProcessServer, TestDevice)> {
    let db = database.connect().await?;
    migration::up(&db, migration::Side::Server).await?;
    create_first(&db).await?;
    add_color(&db).await?;
    let server = InProcessServer::with(
        database,
        db,
        new()?,
        Arc::new(SystemClock),
        Arc::new(UuidV7),
    )
    .await?;
    server.add_user("u1").await?;
    let (folder, db) = base().await?;
    create_first(&db).await?;
    add_color(&db).await?;
    let device = connected(&server, folder, db, new()?, 1).await?;
    device.sql("INSERT INTO notes (user_id, text, color) VALUES ('u1', 'milk', 'red'), ('u1', 'eggs', NULL)").await?;
    device.sync().await?;
    Ok((server, device))
}

async fn base() -> Result<(Arc<TempDir>, DatabaseConnection)> {
    let (folder, db) = fresh_file().await?;
    migration::up(&db, migration::Side::Device).await?;
    Ok((folder, db))
}

async fn connected(
    server: &InProcessServer,
    folder: Arc<TempDir>,
    db: DatabaseConnection,
    registry: Registry,
    number: i64,
) -> Result<TestDevice> {
    let transport = server.transport("u1", number);
    TestDevice::connected(
        folder,
        db,
        registry,
        "u1",
        Arc::new(SystemClock),
        Arc::new(UuidV7),
        transport,
    )
    .await
}

async fn older_device(server: &InProcessServer) -> Result<(Arc<TempDir>, TestDevice)> {
    let (folder, db) = base().await?;
    create_first(&db).await?;
    Ok((
        folder.clone(),
        connected(server, folder, db, old()?, 2).await?,
    ))
}

/// The same file, opened by the next version of the program.
async fn upgraded(
    server: &InProcessServer,
    folder: Arc<TempDir>,
    device: TestDevice,
    registry: Registry,
) -> Result<TestDevice> {
    let file = device.file();
    device.device.db().clone().close().await?;
    drop(device);
    let db = open(&format!("sqlite://{}", file.display())).await?;
    add_color(&db).await?;
    connected(server, folder, db, registry, 2).await
}

const NOTES: &str = "SELECT text, color FROM notes WHERE deleted_at IS NULL ORDER BY 1";

async fn sd02_an_older_device_does_not_erase_what_it_does_not_know(database: TestDb) -> Result<()> {
    let (server, device) = world(database).await?;
    let (_folder, older) = older_device(&server).await?;
    older.sync().await?;
    assert_eq!(
        older.rows("SELECT text FROM notes ORDER BY 1").await?,
        ["eggs", "milk"]
    );

    older
        .sql("UPDATE notes SET text = 'oat milk' WHERE text = 'milk'")
        .await?;
    older.sync().await?;
    device.sync().await?;

    assert_eq!(device.rows(NOTES).await?, ["eggs|NULL", "oat milk|red"]);
    Ok(())
}

async fn sd04_a_column_added_later_is_pulled_again(database: TestDb) -> Result<()> {
    let (server, _device) = world(database).await?;
    let (folder, older) = older_device(&server).await?;
    older.sync().await?;
    older.sync().await?;

    let upgraded = upgraded(&server, folder, older, new()?).await?;
    upgraded.sync().await?;

    assert_eq!(upgraded.rows(NOTES).await?, ["eggs|NULL", "milk|red"]);
    assert_eq!(upgraded.pending().await?, [""; 0]);
    Ok(())
}

/// It may have been pulled past while the program did not know it.
async fn a_table_added_later_is_pulled_from_the_beginning(database: TestDb) -> Result<()> {
    let (server, _device) = world(database).await?;
    let (folder, db) = base().await?;
    let older = connected(&server, folder.clone(), db, entity::registry()?, 2).await?;
    older.sync().await?;

    create_first(older.device.db()).await?;
    let all = entity::builder().table::<second::Entity>().build()?;
    let upgraded = upgraded(&server, folder, older, all).await?;
    upgraded.sync().await?;

    assert_eq!(upgraded.rows(NOTES).await?, ["eggs|NULL", "milk|red"]);
    Ok(())
}

async fn an_edit_before_the_upgrade_is_not_lost(database: TestDb) -> Result<()> {
    let (server, device) = world(database).await?;
    let (folder, older) = older_device(&server).await?;
    older.sync().await?;
    older.sql("UPDATE notes SET text = 'oat milk' WHERE text = 'milk'; INSERT INTO notes (user_id, text) VALUES ('u1', 'tea')")
        .await?;

    let upgraded = upgraded(&server, folder, older, new()?).await?;
    upgraded.sync().await?;
    device.sync().await?;

    for each in [&upgraded, &device] {
        assert_eq!(
            each.rows(NOTES).await?,
            ["eggs|NULL", "oat milk|red", "tea|NULL"]
        );
    }
    Ok(())
}
