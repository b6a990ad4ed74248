//! Logins that begin and end.

use anyhow::{Result, ensure};
use app_adapter::{Event, Standing};
use sea_orm::ConnectionTrait;
use sync_tests::{TestDb, background::App, on_both_backends};

use super::{EMAIL, world};

on_both_backends!(
    bg09_an_ended_login_stops_quietly_and_asks_once,
    bg12_the_status_tells_everything_but_the_token,
    a_login_of_another_program_is_noticed,
    disconnecting_ends_the_syncs,
);

async fn bg09_an_ended_login_stops_quietly_and_asks_once(db: TestDb) -> Result<()> {
    let (server, app) = world(db).await?;
    let mut events = app.sync.events();
    let there = server.database().connect().await?;
    there
        .execute_unprepared("UPDATE sync_device SET revoked_at = created_at")
        .await?;
    app.add_profile("Zoë").await?;
    app.pass_until("the login is needed", |s| {
        s.overview.state == Standing::LoginNeeded
    })
    .await?;
    let (sent, n_syncs) = (app.network.n_sent(), app.sync.status().borrow().n_syncs);
    for n in 0..50 {
        app.add_profile(&format!("P{n}")).await?;
        app.rest();
        app.settled().await;
    }
    ensure!(
        app.network.n_sent() == sent,
        "the server is not asked again"
    );
    let mut asked = 0;
    while let Ok(event) = events.try_recv() {
        asked += u32::from(event == Event::NeedsLogin);
    }
    ensure!(asked == 1, "asked {asked} times");
    app.connect(&server, EMAIL).await?;
    let status = app
        .until("it has synced", |s| {
            s.n_syncs > n_syncs && s.overview.n_pending == 0
        })
        .await?;
    ensure!(
        status.problem.is_none() && status.overview.state == Standing::Synced,
        "{status:?}"
    );
    Ok(())
}

async fn bg12_the_status_tells_everything_but_the_token(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    app.add_profile("Zoë").await?;
    app.sync.refresh().await;
    let status = app.sync.status().borrow().clone();
    ensure!(status.overview.n_pending == 1, "{status:?}");
    ensure!(status.overview.status.last_sync_ms.is_some());
    let text = format!("{status:?} {}", serde_json::to_string(&status)?);
    let tokens = app.network.tokens();
    ensure!(!tokens.is_empty());
    for token in tokens {
        ensure!(!text.contains(&token), "a token is in the status");
    }
    let sealed = app.rows("SELECT auth_token FROM sync_state").await?;
    ensure!(
        !text.contains(&sealed[0]),
        "the sealed token is in the status"
    );
    Ok(())
}

async fn a_login_of_another_program_is_noticed(db: TestDb) -> Result<()> {
    let (server, first) = world(db).await?;
    first.sync.disconnect().await?;
    let second = first.second().await?;
    let before = second.status().borrow().n_syncs;
    ensure!(before == 0 && !second.status().borrow().overview.status.connected);
    first.connect(&server, EMAIL).await?;
    for _ in 0..5 {
        first.rest();
        second.refresh().await;
    }
    sync_tests::background::until(&second, "it syncs", |s| s.n_syncs > 0).await?;
    second.stop().await;
    Ok(())
}

async fn disconnecting_ends_the_syncs(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    app.sync.disconnect().await?;
    let sent = app.network.n_sent();
    app.add_profile("Zoë").await?;
    for _ in 0..50 {
        app.rest();
        app.settled().await;
    }
    ensure!(app.network.n_sent() == sent);
    let error = app.sync_fails().await?;
    ensure!(error == "not_connected", "{error}");
    let status = app.sync.status().borrow().clone();
    ensure!(
        status.problem.is_none() && status.overview.n_pending == 1,
        "{status:?}"
    );
    let _: &App = &app;
    Ok(())
}
