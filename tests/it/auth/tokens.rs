//! Tokens over real HTTP: none, wrong ones, and those of an account that is gone.

use std::sync::Arc;

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_core::{SyncError, http_transport::HttpTransport};
use sync_tests::{
    HttpServer, TestDb, TestDevice, account::Origin, on_both_backends, synced_rows::live_rows,
};

on_both_backends!(
    at01_without_a_valid_token_nothing_happens,
    de18_an_account_that_is_deleted_leaves_the_device_as_it_is,
);

const LIST: &str = "INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, 'Anna', 'a' FROM sync_state;
    INSERT INTO lists (profile_id, name) SELECT id, 'Mine' FROM profiles";

async fn refused(device: &TestDevice) -> Result<()> {
    for result in [
        device.sync().await,
        device.device.pull(&*device.transport, &|_| {}).await,
    ] {
        assert!(matches!(result, Err(SyncError::Unauthorized)), "{result:?}");
    }
    Ok(())
}

async fn at01_without_a_valid_token_nothing_happens(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let account = server.account("anna@example.org").await?;
    let mut device = account.device(Origin::Fresh).await?;
    device.sql(LIST).await?;
    device.sync().await?;
    device.sql("UPDATE lists SET name = 'Edited'").await?;
    let good = Arc::clone(&device.transport);
    let at_server = server.database().connect().await?;
    let before = live_rows(&at_server).await?;
    for token in [
        None,
        Some(""),
        Some("x"),
        Some("0123456789abcdef0123456789abcdef"),
        Some("\u{e4}"),
    ] {
        // What is no token at all does not leave the device.
        let Ok(transport) = HttpTransport::new(&server.url(), token.map(str::to_owned)) else {
            continue;
        };
        device.transport = Arc::new(transport);
        let pending = device.pending().await?;
        refused(&device).await?;
        assert_eq!(device.pending().await?, pending, "{token:?}");
        assert_eq!(live_rows(&at_server).await?, before, "{token:?}");
    }
    // Local use goes on, and all of it is pushed once the token is right.
    device
        .sql("INSERT INTO lists (profile_id, name) SELECT id, 'New' FROM profiles")
        .await?;
    device.transport = good;
    device.sync().await?;
    assert_eq!(live_rows(&at_server).await?["lists"].len(), 2);
    Ok(())
}

/// DE18: the device is told that it is logged out; all that it has stays.
async fn de18_an_account_that_is_deleted_leaves_the_device_as_it_is(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (gone, other) = (
        server.account("anna@example.org").await?,
        server.account("ben@example.org").await?,
    );
    let (device, bens) = (
        gone.device(Origin::Fresh).await?,
        other.device(Origin::Fresh).await?,
    );
    for device in [&device, &bens] {
        device.sql(LIST).await?;
        device.sync().await?;
    }
    let before = live_rows(device.device.db()).await?;
    device.sql("UPDATE lists SET name = 'Edited'").await?;

    let at_server = server.database().connect().await?;
    at_server
        .execute_unprepared("PRAGMA foreign_keys = ON")
        .await
        .ok();
    let delete = format!("DELETE FROM \"user\" WHERE id = '{}'", gone.user_id);
    at_server.execute_unprepared(&delete).await?;

    refused(&device).await?;
    let after = live_rows(device.device.db()).await?;
    assert_eq!(after["profiles"], before["profiles"]);
    assert_eq!(
        device
            .one("SELECT name FROM lists WHERE deleted_at IS NULL")
            .await?,
        "Edited"
    );
    assert_eq!(device.pending().await?.len(), 1);
    // The other account goes on.
    bens.sql("UPDATE lists SET name = 'Bens'").await?;
    bens.sync().await?;
    assert_eq!(live_rows(&at_server).await?["lists"].len(), 1);
    Ok(())
}
