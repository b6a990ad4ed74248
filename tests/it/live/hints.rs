//! Whatever moves a feed, those who listen to it are told, and nobody else.

use std::sync::Arc;

use anyhow::{Result, ensure};
use sea_orm::ConnectionTrait;
use server::EventTiming;
use sync_tests::{TestDb, account::Origin, on_both_backends, programs::ServerProgram};

use super::{EMAIL, HINTS_ALONE, NEVER, NEW_PROFILE, listen, next, server, until_head};

on_both_backends!(
    the_first_hint_is_the_present_end,
    a_push_through_the_same_server_is_told,
    a_push_through_another_process_is_told,
    an_edit_by_sql_is_absorbed_and_told,
    an_edit_by_sql_before_anybody_listened_is_told,
    lost_hints_are_made_up_for,
    other_accounts_are_not_told,
);

async fn the_first_hint_is_the_present_end(db: TestDb) -> Result<()> {
    let server = server(&Arc::new(db), HINTS_ALONE).await?;
    let account = server.account(EMAIL).await?;
    let transport = server.http_transport(EMAIL).await?;
    let (_, head) = listen(&transport).await?;
    ensure!(head == "0", "nothing was synced yet: {head}");
    let device = account.device(Origin::Fresh).await?;
    device.sql(NEW_PROFILE).await?;
    device.sync().await?;
    let (_, head) = listen(&transport).await?;
    ensure!(head == device.one("SELECT cursor FROM sync_state").await?);
    Ok(())
}

async fn a_push_through_the_same_server_is_told(db: TestDb) -> Result<()> {
    // Neither the file nor the database is looked at.
    let timing = EventTiming {
        probe: NEVER,
        ..HINTS_ALONE
    };
    let server = server(&Arc::new(db), timing).await?;
    let account = server.account(EMAIL).await?;
    let (mut hints, _) = listen(&server.http_transport(EMAIL).await?).await?;
    let device = account.device(Origin::Fresh).await?;
    for name in ["One", "Two", "Three"] {
        device.sql(&NEW_PROFILE.replace("Zoë", name)).await?;
        device.sync().await?;
        until_head(&mut hints, &device).await?;
    }
    Ok(())
}

async fn a_push_through_another_process_is_told(db: TestDb) -> Result<()> {
    let db = Arc::new(db);
    let here = server(&db, HINTS_ALONE).await?;
    here.account(EMAIL).await?;
    let (mut hints, _) = listen(&here.http_transport(EMAIL).await?).await?;
    let there = ServerProgram::start(db.url())?;
    let token = here.token(EMAIL).await?;
    let device = super::device_at(&there.url(), &token).await?;
    for name in ["One", "Two", "Three"] {
        device.sql(&NEW_PROFILE.replace("Zoë", name)).await?;
        device.sync().await?;
        until_head(&mut hints, &device).await?;
    }
    Ok(())
}

async fn an_edit_by_sql_is_absorbed_and_told(db: TestDb) -> Result<()> {
    let db = Arc::new(db);
    let server = server(&db, HINTS_ALONE).await?;
    let account = server.account(EMAIL).await?;
    let device = account.device(Origin::Fresh).await?;
    device
        .sql(&format!(
            "{NEW_PROFILE}; INSERT INTO lists (profile_id, name) SELECT id, 'Later' FROM profiles"
        ))
        .await?;
    device.sync().await?;
    let (mut hints, _) = listen(&server.http_transport(EMAIL).await?).await?;
    let sql = db.connect().await?;
    for statement in [
        "UPDATE profiles SET name = 'By SQL'",
        "INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'tt1', 'movie' FROM lists",
        "UPDATE list_items SET title = 'One'",
        "DELETE FROM list_items",
    ] {
        sql.execute_unprepared(statement).await?;
        let told = next(&mut hints).await?;
        let pulled = device.sync().await?;
        ensure!(pulled.n_pulled == 1, "{statement}: {pulled:?}");
        let cursor = device.one("SELECT cursor FROM sync_state").await?;
        ensure!(
            told.as_ref() == Some(&cursor),
            "{statement}: {told:?} {cursor}"
        );
    }
    Ok(())
}

async fn an_edit_by_sql_before_anybody_listened_is_told(db: TestDb) -> Result<()> {
    let db = Arc::new(db);
    let server = server(&db, HINTS_ALONE).await?;
    let account = server.account(EMAIL).await?;
    let device = account.device(Origin::Fresh).await?;
    device.sql(NEW_PROFILE).await?;
    device.sync().await?;
    let sql = db.connect().await?;
    sql.execute_unprepared("UPDATE profiles SET name = 'By SQL'")
        .await?;
    let before = device.one("SELECT cursor FROM sync_state").await?;
    let (mut hints, first) = listen(&server.http_transport(EMAIL).await?).await?;
    if first == before {
        let told = next(&mut hints).await?;
        ensure!(told.is_some_and(|told| told != before));
    }
    ensure!(device.sync().await?.n_pulled == 1);
    Ok(())
}

/// As on an engine without LISTEN, or when the connection for it is dead and nobody knows yet.
async fn lost_hints_are_made_up_for(db: TestDb) -> Result<()> {
    let db = Arc::new(db);
    let timing = EventTiming {
        poll: std::time::Duration::from_millis(50),
        probe: NEVER,
        reconnect: NEVER,
        ..HINTS_ALONE
    };
    let here = server(&db, timing).await?;
    let account = here.account(EMAIL).await?;
    let device = account.device(Origin::Fresh).await?;
    let (mut hints, _) = listen(&here.http_transport(EMAIL).await?).await?;
    super::cut_listeners(&db).await?;
    let there = ServerProgram::start(db.url())?;
    let token = here.token(EMAIL).await?;
    let other = super::device_at(&there.url(), &token).await?;
    other.sql(NEW_PROFILE).await?;
    other.sync().await?;
    until_head(&mut hints, &other).await?;
    device.sync().await?;
    let sql = db.connect().await?;
    sql.execute_unprepared("UPDATE profiles SET name = 'By SQL'")
        .await?;
    ensure!(next(&mut hints).await?.is_some());
    ensure!(device.sync().await?.n_pulled == 1);
    Ok(())
}

async fn other_accounts_are_not_told(db: TestDb) -> Result<()> {
    let db = Arc::new(db);
    let server = server(&db, HINTS_ALONE).await?;
    let (ann, ben) = (
        server.account(EMAIL).await?,
        server.account("ben@example.com").await?,
    );
    let (a, b) = (
        ann.device(Origin::Fresh).await?,
        ben.device(Origin::Fresh).await?,
    );
    for device in [&a, &b] {
        device.sql(NEW_PROFILE).await?;
        device.sync().await?;
    }
    let (mut hints, _) = listen(&server.http_transport(EMAIL).await?).await?;
    b.sql("UPDATE profiles SET name = 'Ben'").await?;
    b.sync().await?;
    let sql = db.connect().await?;
    sql.execute_unprepared("UPDATE profiles SET avatar = 'sql' WHERE name = 'Ben'")
        .await?;
    b.sync().await?;
    a.sql("UPDATE profiles SET name = 'Ann'").await?;
    a.sync().await?;
    let told = next(&mut hints).await?;
    ensure!(
        told == Some(a.one("SELECT cursor FROM sync_state").await?),
        "the first thing told is Ann's own: {told:?}"
    );
    Ok(())
}
