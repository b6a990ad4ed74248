//! A push whose answer was lost, and the account set aside before it was sent again.

use std::sync::Arc;

use anyhow::{Result, ensure};
use sea_orm::ConnectionTrait;
use sync_core::device::{Connection, LocalRows};
use sync_tests::{
    Fault, Faulty, Scene, TestDb, on_both_backends, scene::USER, snapshot::live_rows,
};

on_both_backends!(
    what_was_sent_and_not_answered_is_sent_to_its_own_account_alone,
    a_sync_that_runs_sends_nothing_of_the_next_account,
);

fn connection(user: &str) -> Connection {
    Connection {
        remote_url: "https://zentrio.example".to_owned(),
        remote_user_id: user.to_owned(),
        email: None,
        auth_token: "sealed".to_owned(),
        local_user_id: user.to_owned(),
    }
}

const OTHER_USER: &str = "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
    VALUES ('u2', 'u2@x', 'U2', 0, '2026-01-02', '2026-01-02')";

async fn what_was_sent_and_not_answered_is_sent_to_its_own_account_alone(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    scene.server.add_user("u2").await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE profiles SET name = 'Sent'; UPDATE profiles SET avatar = 'sent'")
        .await?;
    a.net.on_push(Fault::LoseAnswer);
    ensure!(a.sync().await.is_err());
    b.sync().await?;
    b.sql("UPDATE profiles SET name = 'On top'").await?;
    b.sync().await?;

    let device = &a.device.device;
    a.sql(OTHER_USER).await?;
    device
        .switch_account(&connection("u2"), LocalRows::SetAside)
        .await?;
    let other: Arc<Faulty> = Faulty::new(scene.server.transport("u2", 77));
    device.sync(&*other, &|_| {}).await?;
    ensure!(
        other.pushes().is_empty(),
        "something of the first account went out"
    );
    ensure!(live_rows(&scene.server.db, "u2").await?.is_empty());

    device
        .switch_account(&connection(USER), LocalRows::SetAside)
        .await?;
    scene.settled(&[&a, &b]).await?;
    let names = scene
        .rows("SELECT name || ' ' || avatar FROM profiles")
        .await?;
    ensure!(names == ["On top sent"], "{names:?}");
    Ok(())
}

async fn a_sync_that_runs_sends_nothing_of_the_next_account(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    scene.server.add_user("u2").await?;
    let mut a = scene.device().await?;
    a.sql(OTHER_USER).await?;
    a.limit_rows(1, 10);
    for name in ["One", "Two", "Three"] {
        a.add_profile(name).await?;
    }
    let engine = a.device.device.clone();
    a.net.on_push(Fault::before(move || async move {
        engine
            .switch_account(&connection("u2"), LocalRows::SetAside)
            .await?;
        let sql = "INSERT INTO profiles (user_id, name, avatar) VALUES ('u2', 'Of U2', 'x')";
        engine.db().execute_unprepared(sql).await?;
        Ok(())
    }));
    ensure!(a.sync().await.is_err(), "it went on");
    let there = scene
        .rows("SELECT name FROM profiles WHERE name = 'Of U2'")
        .await?;
    ensure!(there.is_empty(), "a row of u2 came to u1");
    a.device
        .device
        .switch_account(&connection(USER), LocalRows::SetAside)
        .await?;
    a.sql("DELETE FROM profiles WHERE user_id = 'u2'").await?;
    scene.settled(&[&a]).await?;
    let names = scene.rows("SELECT name FROM profiles ORDER BY 1").await?;
    ensure!(names == ["One", "Three", "Two"], "{names:?}");
    Ok(())
}
