//! One sync at a time on one database.

use std::sync::Arc;

use anyhow::Result;
use sync_core::{Clock, Device, ManualClock, SyncError, SystemClock, UuidV7};
use sync_tests::{Fault, Scene, SceneDevice, TestDb, device::open, on_both_backends};

async fn if10_a_second_sync_is_refused_while_one_runs(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    let (same, other) = (
        a.device.device.clone(),
        another_program(&a, Arc::new(SystemClock)).await?,
    );
    let net = Arc::clone(&a.net);
    a.net.on_push(Fault::after(move || async move {
        for engine in [&same, &other] {
            let second = engine.sync(&*net, &|_| {}).await;
            assert!(matches!(second, Err(SyncError::Busy)), "{second:?}");
            let second = engine.pull(&*net, &|_| {}).await;
            assert!(matches!(second, Err(SyncError::Busy)), "{second:?}");
        }
        Ok(())
    }));

    a.sync().await?;

    assert_eq!(
        (a.net.pushes().len(), a.net.pulls().len()),
        (1, 1),
        "the second sent nothing"
    );
    assert_eq!(
        a.status().await?.last_error,
        None,
        "nor did it spoil the first one's result"
    );
    scene.settled(&[&a, &b]).await
}

/// Many at once: one runs, the others are told so, and all is well in the end.
async fn if10_of_many_at_once_one_runs(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    for number in 0..20 {
        a.add_profile(&format!("Kids {number}")).await?;
    }
    let mut syncs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (engine, net) = (
            another_program(&a, Arc::new(SystemClock)).await?,
            Arc::clone(&a.net),
        );
        syncs.spawn(async move { engine.sync(&*net, &|_| {}).await });
    }
    let results = syncs.join_all().await;
    assert!(results.iter().any(Result::is_ok));
    for result in results {
        assert!(matches!(result, Ok(_) | Err(SyncError::Busy)), "{result:?}");
    }
    assert_eq!(scene.head().await?, 20);
    scene.settled(&[&a, &b]).await
}

/// A sync that hung for long has lost its place: what it hears then is not for it any more.
async fn if10_one_that_was_taken_for_dead_does_no_harm(db: TestDb) -> Result<()> {
    let clock = Arc::new(ManualClock::new(1_800_000_000_000));
    let scene = Scene::at(db, Arc::clone(&clock) as Arc<dyn Clock>).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("One").await?;
    let (other, net, time) = (
        another_program(&a, Arc::clone(&clock) as Arc<dyn Clock>).await?,
        Arc::clone(&a.net),
        clock,
    );
    a.net.on_push(Fault::after(move || async move {
        time.advance(3_600_000);
        sea_orm::ConnectionTrait::execute_unprepared(
            other.db(),
            "UPDATE profiles SET name = 'Two'",
        )
        .await?;
        other.sync(&*net, &|_| {}).await?;
        Ok(())
    }));

    let first = a.sync().await;

    assert!(matches!(first, Err(SyncError::Busy)), "{first:?}");
    a.check().await?;
    assert_eq!(scene.one("SELECT name FROM profiles").await?, "Two");
    scene.settled(&[&a, &b]).await
}

/// A failure leaves the place free.
async fn if10_a_failed_sync_is_no_sync_that_runs(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    for fault in [
        Fault::Offline,
        Fault::LoseAnswer,
        Fault::AnswerInstead(401, vec![]),
        Fault::AnswerInstead(200, vec![]),
    ] {
        a.net.on_push(fault);
        assert!(!matches!(a.sync().await, Ok(_) | Err(SyncError::Busy)));
    }
    scene.settled(&[&a, &b]).await
}

/// What a person asks meanwhile is answered.
async fn if10_the_status_is_told_while_a_sync_runs(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("Kids").await?;
    for when in [Fault::Before, Fault::After] {
        a.sql("UPDATE profiles SET name = name || '!'").await?;
        let engine = a.device.device.clone();
        let act: sync_tests::faulty::Act = Box::new(move || {
            Box::pin(async move {
                let status = engine.status().await?;
                assert_eq!((status.connected, status.pending.len()), (true, 1));
                Ok(())
            })
        });
        a.net.on_push(when(act));
        a.sync().await?;
    }
    Ok(())
}

/// Another engine on the same file, as in a second program.
async fn another_program(device: &SceneDevice, clock: Arc<dyn Clock>) -> Result<Device> {
    let db = open(&format!("sqlite://{}", device.file().display())).await?;
    Ok(Device::open(db, entity::registry()?, clock, Arc::new(UuidV7)).await?)
}

on_both_backends!(
    if10_a_second_sync_is_refused_while_one_runs,
    if10_of_many_at_once_one_runs,
    if10_one_that_was_taken_for_dead_does_no_harm,
    if10_a_failed_sync_is_no_sync_that_runs,
    if10_the_status_is_told_while_a_sync_runs,
);
