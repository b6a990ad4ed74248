//! A server that is reached by another address is the same one, as long as its data is.

use std::sync::Arc;

use anyhow::{Result, ensure};
use app_adapter::{Connect, LocalData};
use sea_orm::ConnectionTrait;
use sync_tests::{Backend, HttpServer, TestDb, on_both_backends};

use super::{ANNA, BERT, Device, account, wanted, word};

on_both_backends!(
    a_server_that_has_moved_is_gone_on_with,
    a_server_with_other_data_is_another_even_if_the_account_has_the_same_id,
    an_account_of_the_same_id_gets_nothing_of_one_that_is_set_aside,
);

const ROWS: &str =
    "INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, 'P', 'x' FROM sync_state";

async fn a_server_that_has_moved_is_gone_on_with(db: TestDb) -> Result<()> {
    let db = Arc::new(db);
    let server = HttpServer::start_with(Arc::clone(&db), |_| {}).await?;
    let anna = server.add_user(ANNA).await?;
    let device = Device::of(&server, ANNA).await?;
    device.sql(ROWS).await?;
    device.sync().await?;
    let before = account(&server, &anna).await?;
    device.sql("UPDATE profiles SET avatar = 'y'").await?;
    server.stop().await?;
    let moved = HttpServer::start_with(db, |_| {}).await?;
    ensure!(device.preview(&moved, ANNA).await?.is_none());
    let connected = device.connect(&moved, ANNA, LocalData::Ask).await?;
    ensure!((connected.remote_url, connected.n_pending) == (moved.url(), 1));
    device.agrees_with(&moved, &anna, &anna).await?;
    ensure!(
        account(&moved, &anna).await?.len() == before.len(),
        "something is there twice"
    );
    Ok(())
}

/// Another server, whose account of Anna has this id.
async fn server_with_id(beside: &HttpServer, id: &str) -> Result<HttpServer> {
    let other = HttpServer::start(TestDb::new(beside.database().backend()).await?).await?;
    let there = other.add_user(ANNA).await?;
    let same_id = format!(
        "PRAGMA foreign_keys = OFF; UPDATE account SET \"userId\" = '{id}' WHERE \"userId\" = '{there}';
         UPDATE \"user\" SET id = '{id}' WHERE id = '{there}'"
    );
    let same_id = match beside.database().backend() {
        Backend::Sqlite => same_id,
        // The account follows its user there.
        Backend::Postgres => format!(
            "SET session_replication_role = replica; {}",
            same_id.trim_start_matches("PRAGMA foreign_keys = OFF; ")
        ),
    };
    other
        .database()
        .connect()
        .await?
        .execute_unprepared(&same_id)
        .await?;
    Ok(other)
}

async fn a_server_with_other_data_is_another_even_if_the_account_has_the_same_id(
    db: TestDb,
) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let anna = server.add_user(ANNA).await?;
    let device = Device::of(&server, ANNA).await?;
    device.sql(ROWS).await?;
    device.sync().await?;
    let other = server_with_id(&server, &anna).await?;
    let before = account(&server, &anna).await?;

    let refused = device.connect(&other, ANNA, LocalData::Ask).await;
    ensure!(word(refused)? == "other_account");
    let connected = device.connect(&other, ANNA, LocalData::SetAside).await?;
    ensure!(
        connected.local_user_id == format!("{anna}-2"),
        "{connected:?}"
    );
    device.sql("INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, 'Other', 'x' FROM sync_state").await?;
    device
        .agrees_with(&other, &anna, &connected.local_user_id)
        .await?;
    ensure!(account(&server, &anna).await? == before);
    let connected = device.connect(&server, ANNA, LocalData::SetAside).await?;
    ensure!(connected.local_user_id == anna, "{connected:?}");
    device.agrees_with(&server, &anna, &anna).await?;
    ensure!(device.live(&anna).await?.len() == 1);
    Ok(())
}

async fn an_account_of_the_same_id_gets_nothing_of_one_that_is_set_aside(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let anna = server.add_user(ANNA).await?;
    server.add_user(BERT).await?;
    let device = Device::of(&server, ANNA).await?;
    device.sql(ROWS).await?;
    device.sync().await?;
    let before = account(&server, &anna).await?;
    device.connect(&server, BERT, LocalData::SetAside).await?;
    let other = server_with_id(&server, &anna).await?;

    let connected = device.connect(&other, ANNA, LocalData::SetAside).await?;
    ensure!(connected.local_user_id != anna, "{connected:?}");
    device
        .agrees_with(&other, &anna, &connected.local_user_id)
        .await?;
    ensure!(
        account(&other, &anna).await?.is_empty(),
        "it has what was set aside"
    );

    // Nor is one whose data is set aside tied to another account by its name.
    let named = Connect {
        local_user: Some(anna.clone()),
        local_data: LocalData::SetAside,
        ..wanted(&server, BERT)?
    };
    let refused = device
        .adapter
        .connect(&named)
        .await
        .map_err(anyhow::Error::from);
    ensure!(word(refused)? == "other_local_user");
    device.connect(&server, ANNA, LocalData::SetAside).await?;
    device.agrees_with(&server, &anna, &anna).await?;
    ensure!(
        account(&server, &anna).await? == before,
        "it is not as it was"
    );
    Ok(())
}
