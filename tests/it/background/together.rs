//! Several programs on one database, and what a crash leaves.

use anyhow::{Result, ensure};
use sync_core::Clock;
use sync_tests::{
    TestDb, background::until, on_both_backends, programs::until as until_program, switched::Way,
};

use super::world;
use crate::binaries::{all_agree, device, serve};

on_both_backends!(
    bg07_what_a_crash_has_left_keeps_nobody_from_syncing,
    bg11_of_two_programs_one_syncs_and_the_other_waits,
    bg11_two_processes_in_the_background_of_one_file,
);

async fn bg07_what_a_crash_has_left_keeps_nobody_from_syncing(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    let soon = app.time.clock.now_ms() + 19_000;
    app.sql(&format!(
        "UPDATE sync_state SET is_syncing = 1, lease_holder = 'crashed', lease_until_ms = {soon}"
    ))
    .await?;
    app.add_profile("Zoë").await?;
    let waited = app
        .pass_until("it has synced", |s| {
            s.overview.n_pending == 0 && s.n_syncs > 1
        })
        .await?;
    ensure!(waited.as_secs() < 40, "{waited:?}");
    let status = app.sync.status().borrow().clone();
    ensure!(
        status.problem.is_none() && status.n_failures == 0,
        "{status:?}"
    );
    ensure!(
        app.rows("SELECT is_syncing FROM sync_state").await? == ["1"],
        "it is not ours"
    );
    Ok(())
}

async fn bg11_of_two_programs_one_syncs_and_the_other_waits(db: TestDb) -> Result<()> {
    let (_server, app) = world(db).await?;
    let second = app.second().await?;
    until(&second, "it syncs", |s| s.n_syncs == 1).await?;
    app.rest();
    app.add_profile("Zoë").await?;
    app.network.set(Way::Held);
    let sync = app.sync.clone();
    let asked = tokio::spawn(async move { sync.sync_now().await });
    app.network.holds().await?;
    let busy = second.sync_now().await.err().map(|e| e.word().to_owned());
    ensure!(busy.as_deref() == Some("busy"), "{busy:?}");
    let status = second.status().borrow().clone();
    ensure!(
        status.problem.is_none() && status.n_failures == 0,
        "{status:?}"
    );
    app.network.set(Way::Open);
    ensure!(asked.await??.n_pushed == 1);
    let n_syncs = second.status().borrow().n_syncs;
    app.rest();
    let status = until(&second, "it syncs", |s| {
        s.n_syncs > n_syncs && s.problem.is_none()
    })
    .await?;
    ensure!(status.n_failures == 0, "{status:?}");
    second.stop().await;
    Ok(())
}

async fn bg11_two_processes_in_the_background_of_one_file(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let (file, other) = (device(&server.url())?, device(&server.url())?);
    let runs = [
        file.start_zentrio(&["run", "--listen", "127.0.0.1:0"])?,
        file.start_zentrio(&["run", "--listen", "127.0.0.1:0"])?,
    ];
    for n in 0..10 {
        file.sql(&format!(
            "INSERT INTO profiles (user_id, name, avatar) SELECT id, 'P{n}', 'a' FROM user"
        ))?;
        // A third one, which people start by hand; it may find one of the others at work.
        let synced = file.zentrio(&["sync", "--json"])?;
        ensure!([Some(0), Some(5)].contains(&synced.code), "{synced:?}");
    }
    until_program("all is sent", async || Ok(file.status()?["n_pending"] == 0)).await?;
    for run in runs {
        run.terminate()?.with_code(0)?;
    }
    other.sync()?;
    ensure!(other.sql("SELECT count(*) FROM profiles")? == "10");
    all_agree(&db, &[&file, &other]).await
}
