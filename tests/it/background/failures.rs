//! Servers that cannot, networks that are not there, code that panics.

use std::time::Duration;

use anyhow::{Result, ensure};
use app_adapter::{Event, Trigger};
use sync_tests::{TestDb, on_both_backends, switched::Way};

use super::world;

on_both_backends!(
    bg04_sync_now_overrules_the_wait,
    bg10_what_waited_goes_out_when_the_fault_has_healed,
    f44_a_panic_is_told_and_the_job_goes_on,
    f44_the_job_itself_panics_and_is_started_again,
    offline_is_quiet_and_ends_at_once_with_the_network,
    stopping_lets_a_sync_come_to_its_end,
);

async fn bg04_sync_now_overrules_the_wait(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    app.network.set(Way::Unavailable(600));
    ensure!(app.sync_fails().await? == "http_503");
    let failed = app.until("it waits", |s| s.next_sync_ms.is_some()).await?;
    ensure!(
        failed.problem.is_some() && failed.n_failures == 1,
        "{failed:?}"
    );
    app.network.set(Way::Open);
    for trigger in [Trigger::Online, Trigger::Resume, Trigger::LocalChange] {
        app.sync.notify(trigger);
    }
    app.rest();
    app.settled().await;
    ensure!(
        app.sync.status().borrow().n_syncs == 2,
        "the server is left in peace"
    );
    app.sync_now().await?;
    let status = app.until("it has synced", |s| s.n_syncs == 3).await?;
    ensure!(
        status.problem.is_none() && status.n_failures == 0,
        "{status:?}"
    );
    Ok(())
}

async fn bg10_what_waited_goes_out_when_the_fault_has_healed(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    let mut expected = 1;
    for way in [
        Way::Unavailable(0),
        Way::Offline,
        Way::Panics,
        Way::Unavailable(60),
    ] {
        app.network.set(way);
        expected += 1;
        app.add_profile(&format!("P{expected}")).await?;
        let tries = app.sync.status().borrow().n_syncs;
        app.pass_until("it was tried", |s| s.n_syncs > tries)
            .await?;
    }
    app.network.set(Way::Open);
    let waited = app
        .pass_until("all is sent", |s| s.overview.n_pending == 0)
        .await?;
    ensure!(waited < Duration::from_secs(901), "{waited:?}");
    ensure!(
        app.rows("SELECT 1 FROM profiles WHERE dirty")
            .await?
            .is_empty()
    );
    ensure!(app.sync.status().borrow().problem.is_none());
    Ok(())
}

async fn f44_a_panic_is_told_and_the_job_goes_on(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    let mut events = app.sync.events();
    app.add_profile("Zoë").await?;
    app.network.set(Way::Panics);
    let error = app.sync_fails().await?;
    ensure!(error == "panicked", "{error}");
    let status = app
        .until("it is told", |s| {
            s.problem.is_some() && s.overview.n_pending == 1
        })
        .await?;
    ensure!(status.problem.is_some_and(|p| p.code == "panicked"));
    let mut told = false;
    while let Ok(event) = events.try_recv() {
        told |= matches!(event, Event::Failed(problem) if problem.code == "panicked");
    }
    ensure!(told, "no event told of it");
    let waited = app
        .pass_until("it has synced", |s| s.overview.n_pending == 0)
        .await?;
    ensure!(
        waited >= Duration::from_secs(2),
        "it waits before it begins again"
    );
    let status = app.until("all is well", |s| s.problem.is_none()).await?;
    ensure!(status.n_failures == 0, "{status:?}");
    Ok(())
}

async fn f44_the_job_itself_panics_and_is_started_again(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    for n_panics in 1..=2 {
        app.add_profile(&format!("P{n_panics}")).await?;
        app.time.panic_once();
        app.sync.notify(Trigger::LocalChange);
        let status = app
            .until("it is told", |s| {
                s.problem.as_ref().is_some_and(|p| p.code == "panicked")
            })
            .await?;
        ensure!(
            app.time.has_panicked() && status.n_failures == n_panics,
            "{status:?}"
        );
        // Whoever wants a sync meanwhile has it when the job is back.
        let sync = app.sync.clone();
        let asked = tokio::spawn(async move { sync.sync_now().await });
        for _ in 0..60 {
            app.time.pass(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        asked.await??;
        let status = app
            .until("all is well", |s| {
                s.overview.n_pending == 0 && s.problem.is_none()
            })
            .await?;
        ensure!(status.n_failures == 0, "{status:?}");
    }
    Ok(())
}

async fn offline_is_quiet_and_ends_at_once_with_the_network(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    let mut events = app.sync.events();
    app.network.set(Way::Offline);
    app.add_profile("Zoë").await?;
    app.pass_until("it was tried", |s| s.is_offline).await?;
    let status = app.sync.status().borrow().clone();
    ensure!(
        status.problem.is_none() && status.overview.n_pending == 1,
        "{status:?}"
    );
    while let Ok(event) = events.try_recv() {
        ensure!(!matches!(event, Event::Failed(_)), "{event:?}");
    }
    app.network.set(Way::Open);
    app.sync.notify(Trigger::Online);
    app.time.pass(Duration::from_secs(1));
    app.until("it has synced", |s| {
        !s.is_offline && s.overview.n_pending == 0
    })
    .await?;
    Ok(())
}

async fn stopping_lets_a_sync_come_to_its_end(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    app.add_profile("Zoë").await?;
    app.network.set(Way::Held);
    let sync = app.sync.clone();
    let asked = tokio::spawn(async move { sync.sync_now().await });
    app.network.holds().await?;
    let sync = app.sync.clone();
    let stopped = tokio::spawn(async move { sync.stop().await });
    app.network.set(Way::Open);
    let report = asked.await??;
    stopped.await?;
    ensure!(report.n_pushed == 1, "{report:?}");
    ensure!(
        app.rows("SELECT 1 FROM profiles WHERE dirty")
            .await?
            .is_empty()
    );
    let error = app.sync_fails().await?;
    ensure!(error == "stopped", "{error}");
    app.sync.stop().await;
    Ok(())
}
