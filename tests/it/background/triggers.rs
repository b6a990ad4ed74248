//! What makes the job sync, and what does not.

use std::time::Duration;

use anyhow::{Result, ensure};
use app_adapter::Trigger;
use sync_tests::{TestDb, background::App, on_both_backends, switched::Way};

use super::{EMAIL, world};

on_both_backends!(
    bg02_whoever_asks_there_is_one_sync_at_a_time,
    bg05_it_syncs_every_five_minutes,
    bg08_a_night_asleep_is_one_sync,
    bg14_a_hundred_idle_rounds_leave_nothing,
    a_hint_of_the_server_brings_what_another_device_has_sent,
    edits_of_another_program_are_noticed,
    an_edit_through_the_apps_own_connection_is_noticed,
);

async fn bg02_whoever_asks_there_is_one_sync_at_a_time(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    app.network.set(Way::Held);
    let asks: Vec<_> = (0..5)
        .map(|_| {
            let sync = app.sync.clone();
            tokio::spawn(async move { sync.sync_now().await })
        })
        .collect();
    app.network.holds().await?;
    for n in 0..100 {
        let trigger = [
            Trigger::Resume,
            Trigger::Online,
            Trigger::LocalChange,
            Trigger::ServerEvent,
        ][n % 4];
        app.sync.notify(trigger);
    }
    app.add_profile("Zoë").await?;
    app.sync.refresh().await;
    app.network.set(Way::Open);
    for ask in asks {
        ask.await??;
    }
    let status = app
        .until("the edit is sent", |s| s.overview.n_pending == 0)
        .await?;
    ensure!(status.n_syncs == 2, "{status:?}");
    app.pass_until("all triggers are spent", |s| s.n_syncs == 3)
        .await?;
    app.rest();
    app.settled().await;
    let status = app.sync.status().borrow().clone();
    ensure!(status.n_syncs == 3, "{status:?}");
    // A page travels while the one before is written, and nothing else at once.
    ensure!(
        app.network.most_at_once() <= 2,
        "{}",
        app.network.most_at_once()
    );
    Ok(())
}

async fn bg05_it_syncs_every_five_minutes(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    for n in 2..5 {
        let waited = app.pass_until("it syncs", |s| s.n_syncs == n).await?;
        let seconds = waited.as_secs();
        ensure!((240..=332).contains(&seconds), "{seconds}");
    }
    Ok(())
}

async fn bg08_a_night_asleep_is_one_sync(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    app.time.sleep(Duration::from_secs(8 * 3_600));
    app.pass_until("it syncs", |s| s.n_syncs == 2).await?;
    app.sync.notify(Trigger::Resume);
    app.sync.notify(Trigger::Online);
    app.settled().await;
    for _ in 0..8 {
        app.rest();
        app.settled().await;
    }
    let status = app.sync.status().borrow().clone();
    ensure!(status.n_syncs == 2, "{status:?}");
    Ok(())
}

async fn bg14_a_hundred_idle_rounds_leave_nothing(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    app.add_profile("Zoë").await?;
    app.pass_until("the edit is sent", |s| s.n_syncs == 2)
        .await?;
    app.rest();
    let before = size(&app).await?;
    for n in 0..100 {
        app.sync_now().await?;
        app.time.pass(Duration::from_secs(2));
        ensure!(app.sync.status().borrow().n_syncs == 3 + n);
    }
    let after = size(&app).await?;
    ensure!(before == after, "{before:?} became {after:?}");
    Ok(())
}

/// How many rows each table has, and how many pages the file.
async fn size(app: &App) -> Result<Vec<String>> {
    let tables = app
        .rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .await?;
    let mut size = app.rows("SELECT page_count FROM pragma_page_count").await?;
    for table in tables {
        let n = app
            .rows(&format!("SELECT count(*) FROM \"{table}\""))
            .await?;
        size.push(format!("{table} {}", n.join("")));
    }
    Ok(size)
}

async fn a_hint_of_the_server_brings_what_another_device_has_sent(db: TestDb) -> Result<()> {
    let (server, a) = world(db).await?;
    let b = App::connected(&server, EMAIL).await?;
    b.add_profile("Zoë").await?;
    b.sync_now().await?;
    // The hint comes in its own time. Long before the next sync is due by itself it has brought the row.
    let step = Duration::from_millis(10);
    let mut passed = Duration::ZERO;
    while a.rows("SELECT 1 FROM profiles").await?.is_empty() {
        ensure!(passed < Duration::from_secs(120), "no hint came");
        tokio::time::sleep(step).await;
        a.time.pass(step);
        passed += step;
    }
    // The hint of what it has sent itself is no reason to sync for the one who sent it.
    let n_syncs = b.sync.status().borrow().n_syncs;
    for _ in 0..100 {
        tokio::time::sleep(step).await;
        b.time.pass(step);
    }
    b.settled().await;
    ensure!(
        b.sync.status().borrow().n_syncs == n_syncs,
        "it syncs for its own rows"
    );
    Ok(())
}

async fn edits_of_another_program_are_noticed(db: TestDb) -> Result<()> {
    let (server, app) = world(db).await?;
    let b = App::connected(&server, EMAIL).await?;
    for n in 1..5 {
        app.add_profile(&format!("P{n}")).await?;
    }
    let waited = app
        .pass_until("the edits are sent", |s| s.n_syncs == 2)
        .await?;
    ensure!(waited < Duration::from_secs(10), "{waited:?}");
    ensure!(app.sync.status().borrow().overview.n_pending == 0);
    b.sync_now().await?;
    ensure!(b.rows("SELECT 1 FROM profiles").await?.len() == 4);
    // What one sync has sent, and what it has brought, is no reason for another.
    for app in [&app, &b] {
        let n_syncs = app.sync.status().borrow().n_syncs;
        for _ in 0..5 {
            app.rest();
            app.settled().await;
        }
        ensure!(app.sync.status().borrow().n_syncs == n_syncs);
    }
    Ok(())
}

async fn an_edit_through_the_apps_own_connection_is_noticed(db: TestDb) -> Result<()> {
    use sea_orm::ConnectionTrait;
    let (_server, app) = world(db).await?;
    let own = app.sync.adapter().device().db();
    own.execute_unprepared(
        "INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'a' FROM user",
    )
    .await?;
    app.pass_until("the edit is sent", |s| s.n_syncs == 2)
        .await?;
    ensure!(app.sync.status().borrow().overview.n_pending == 0);
    // One that changes nothing is none.
    own.execute_unprepared("UPDATE profiles SET name = 'Zoë'")
        .await?;
    for _ in 0..5 {
        app.rest();
        app.settled().await;
    }
    ensure!(app.sync.status().borrow().n_syncs == 2);
    Ok(())
}
