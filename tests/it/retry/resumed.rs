//! A sync that stopped goes on where it stopped, whoever stopped it.

use std::sync::Arc;

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sync_core::{Device, SyncError, SystemClock, UuidV7};
use sync_tests::{
    Backend, Fault, Scene, SceneDevice, TestDb, device::open, on_both_backends, scene::USER,
    snapshot,
};

async fn rt08_a_failing_server_costs_nothing(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    b.sql("UPDATE profiles SET name = 'Edited'").await?;
    let cursor = b.cursor().await?;
    for status in [500, 502, 503, 504] {
        b.net.on_push(Fault::AnswerInstead(status, vec![]));
        b.net.on_pull(Fault::AnswerInstead(status, vec![]));
        let error = b.sync().await.err().context("it failed")?;
        assert!(error.is_retryable() && !error.is_offline(), "{error:?}");
        let error = b.pull().await.err().context("it failed")?;
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(
            (b.pending().await?, b.cursor().await?),
            (vec!["profiles 1 name".to_owned()], cursor.clone())
        );
    }
    scene.settled(&[&a, &b]).await
}

/// A login that ran out: told at once, tried no more, and nothing is lost.
async fn rt11_a_rejected_login_stops_the_sync(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (mut a, b) = scene.pair().await?;
    a.limit_rows(1, 1);
    for number in 0..3 {
        b.add_profile(&format!("Kids {number}")).await?;
        a.add_list(a.add_profile("Mine").await?, "Favorites")
            .await?;
    }
    b.sync().await?;
    a.net.on_push(Fault::None);
    a.net.on_push(Fault::AnswerInstead(
        401,
        br#"{"code":"token_expired","message":"log in"}"#.to_vec(),
    ));
    let error = a.sync().await.err().context("it failed")?;
    assert!(
        matches!(error, SyncError::Unauthorized) && !error.is_retryable(),
        "{error:?}"
    );
    assert_eq!(
        (a.net.pushes().len(), a.net.pulls().len()),
        (2, 0),
        "no request after the refused one"
    );
    assert_eq!(a.dirty().await?.len(), 5, "the first batch is settled");
    assert!(
        a.status()
            .await?
            .last_error
            .is_some_and(|error| error.starts_with("unauthorized"))
    );

    // The same in the middle of a pull: the pages before stay.
    a.push().await?;
    a.net.forget();
    a.net.on_pull(Fault::None);
    a.net.on_pull(Fault::AnswerInstead(401, vec![]));
    assert!(matches!(a.sync().await, Err(SyncError::Unauthorized)));
    assert_eq!(a.net.pulls().len(), 2);
    let cursor = a.cursor().await?.context("the first page is kept")?;
    a.net.forget();
    a.sync().await?;
    assert!(a.net.pulls()[0].contains(&cursor));
    scene.settled(&[&a, &b]).await
}

async fn rt13_being_offline_is_a_quiet_state(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    a.net.on_push(Fault::Offline);
    let error = a.sync().await.err().context("it failed")?;
    assert!(error.is_offline() && error.is_retryable());
    assert_eq!((error.word(), error.retry_after()), ("offline", None));
    let status = a.status().await?;
    assert_eq!(
        (status.pending.len(), status.pending[0].n_rows),
        (1, 1),
        "what waits is told"
    );
    scene.settled(&[&a, &b]).await?;
    assert_eq!(a.status().await?.last_error, None);
    Ok(())
}

/// The app is used for a while before there is a server at all.
async fn rt14_a_server_that_comes_up_later_gets_everything(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    for number in 0..5 {
        let profile = a.add_profile(&format!("Kids {number}")).await?;
        a.net.on_push(Fault::Offline);
        assert!(a.sync().await.is_err());
        a.add_list(profile, "Favorites").await?;
        a.sql(&format!(
            "UPDATE profiles SET name = 'Renamed {number}' WHERE id = {profile}"
        ))
        .await?;
    }
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT id FROM profiles WHERE name LIKE 'Renamed %'")
            .await?
            .len(),
        5
    );
    Ok(())
}

async fn rt15_a_pull_goes_on_behind_its_last_page(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, mut b) = scene.pair().await?;
    for number in 0..9 {
        a.add_profile(&format!("Kids {number}")).await?;
    }
    a.sync().await?;
    b.limit_rows(1_000, 2);
    let mut n_pulled = 0;
    for stopped in 1..=4 {
        b.net.on_pull(Fault::None);
        b.net.on_pull(Fault::LoseAnswer);
        assert!(b.sync().await.is_err());
        assert_eq!(b.rows("SELECT id FROM profiles").await?.len(), stopped * 2);
        n_pulled += 2;
        let (cursor, last) = (
            b.cursor().await?.unwrap_or_default(),
            b.net.pulls().pop().unwrap_or_default(),
        );
        assert!(
            last.contains(&cursor),
            "it asked for {last} and stands at {cursor}"
        );
    }
    assert_eq!(b.sync().await?.n_pulled + n_pulled, 9, "each row once");
    scene.settled(&[&a, &b]).await
}

async fn rt16_a_push_goes_on_behind_its_last_batch(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (mut a, b) = scene.pair().await?;
    a.limit_rows(2, 1_000);
    for number in 0..7 {
        a.add_profile(&format!("Kids {number}")).await?;
    }
    for stopped in 1..=3 {
        a.net.on_push(Fault::None);
        a.net.on_push(Fault::LoseRequest);
        assert!(a.sync().await.is_err());
        assert_eq!(scene.head().await?, stopped * 2);
        assert_eq!(a.dirty().await?.len(), 7 - usize::try_from(stopped)? * 2);
    }
    scene.settled(&[&a, &b]).await
}

/// The program is killed after the server has taken the push, and started again.
async fn rt17_a_killed_push_is_repeated_without_harm(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Favorites").await?;
    a.net.on_push(Fault::HangAfter);
    killed(&a, &scene).await?;
    let there = scene.account(USER).await?;
    assert_eq!((a.dirty().await?.len(), scene.head().await?), (2, 2));
    a.sql("UPDATE sync_state SET lease_until_ms = 0").await?;

    let (_file, again) = restarted(&a).await?;
    let report = again.sync(&*a.net, &|_| {}).await?;

    assert_eq!((report.n_pushed, report.n_rejected), (2, 0));
    assert_eq!(scene.account(USER).await?, there);
    scene.settled(&[&a, &b]).await
}

/// Nobody has to wait for a program that is gone.
async fn rt17_a_killed_sync_does_not_block_the_next(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    a.net.on_push(Fault::HangAfter);
    killed(&a, &scene).await?;
    scene.settled(&[&a, &b]).await
}

/// The device's file is put back to an older copy: what the account has since comes by a pull, and its
/// count of pushes, older than the server's, stops nothing.
async fn rt17_a_device_put_back_to_a_copy_catches_up(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    a.add_list(profile, "Before the copy, not sent").await?;
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("copy.sqlite");
    a.sql(&format!("VACUUM INTO '{}'", copy.display())).await?;
    for number in 0..3 {
        a.add_list(profile, &format!("Since {number}")).await?;
        a.sql(&format!("UPDATE profiles SET name = 'Since {number}'"))
            .await?;
        a.sync().await?;
    }

    let db = open(&format!("sqlite://{}", copy.display())).await?;
    let restored = Device::open(
        db,
        entity::registry()?,
        Arc::new(SystemClock),
        Arc::new(UuidV7),
    )
    .await?;
    for sql in [
        "UPDATE profiles SET avatar = 'restored'",
        "INSERT INTO lists (profile_id, name) VALUES (1, 'Restored')",
    ] {
        restored.db().execute_unprepared(sql).await?;
        restored.sync(&*a.net, &|_| {}).await?;
    }

    let there = snapshot::live_rows(&scene.server.db, USER).await?;
    assert_eq!(snapshot::live_rows(restored.db(), USER).await?, there);
    assert_eq!(
        scene.one("SELECT name || avatar FROM profiles").await?,
        "Since 2restored"
    );
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "5");
    scene.settled(&[&a, &b]).await
}

/// One of ten rows cannot be read at the server: the others come, and that one when it can be read again.
#[tokio::test]
async fn rt18_a_row_the_server_cannot_read_does_not_keep_the_others() -> Result<()> {
    let scene = Scene::new(TestDb::new(Backend::Sqlite).await?).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    for number in 0..10 {
        a.sql(&format!(
            "INSERT INTO watch_history (profile_id, meta_id, meta_type, position) VALUES ({profile}, 'tt{number}', 'movie', 1)"
        ))
        .await?;
    }
    a.sync().await?;
    let server = &scene.server.db;
    server
        .execute_unprepared("UPDATE watch_history SET position = 'abc' WHERE meta_id = 'tt4'")
        .await?;

    b.sync().await?;
    assert_eq!(b.rows("SELECT id FROM watch_history").await?.len(), 9);

    server
        .execute_unprepared("UPDATE watch_history SET position = 2 WHERE meta_id = 'tt4'")
        .await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        b.one("SELECT position FROM watch_history WHERE meta_id = 'tt4'")
            .await?,
        "2"
    );
    Ok(())
}

/// Starts a sync and stops it for good once the server has carried out its push.
async fn killed(device: &SceneDevice, scene: &Scene) -> Result<()> {
    let (engine, net) = (device.device.device.clone(), Arc::clone(&device.net));
    let head = scene.head().await?;
    let sync = tokio::spawn(async move { engine.sync(&*net, &|_| {}).await });
    while scene.head().await? == head {
        tokio::task::yield_now().await;
    }
    sync.abort();
    assert!(sync.await.is_err_and(|error| error.is_cancelled()));
    Ok(())
}

/// The program as it starts again: a connection and an engine of its own on the same file.
async fn restarted(device: &SceneDevice) -> Result<(DatabaseConnection, Device)> {
    let db = open(&format!("sqlite://{}", device.file().display())).await?;
    let again = Device::open(
        db.clone(),
        entity::registry()?,
        Arc::new(SystemClock),
        Arc::new(UuidV7),
    )
    .await?;
    Ok((db, again))
}

on_both_backends!(
    rt08_a_failing_server_costs_nothing,
    rt11_a_rejected_login_stops_the_sync,
    rt13_being_offline_is_a_quiet_state,
    rt14_a_server_that_comes_up_later_gets_everything,
    rt15_a_pull_goes_on_behind_its_last_page,
    rt16_a_push_goes_on_behind_its_last_batch,
    rt17_a_killed_push_is_repeated_without_harm,
    rt17_a_device_put_back_to_a_copy_catches_up,
    rt17_a_killed_sync_does_not_block_the_next,
);
