//! The app goes on while much is synced: its writes wait for one batch at most, and none is lost.

use std::time::{Duration, Instant};

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_tests::{Scene, TestDb, device::open, on_both_backends};

use super::watch;

on_both_backends!(lg05_the_app_writes_while_an_import_is_synced);

/// Far more than a batch takes, far less than SQLite's own patience of the app would bear.
const MOST: Duration = Duration::from_secs(4);

async fn lg05_the_app_writes_while_an_import_is_synced(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Anna").await?;
    watch(&a, 5_000).await?;
    let app = open(&format!("sqlite://{}", a.file().display())).await?;
    let (engine, net) = (a.device.device.clone(), std::sync::Arc::clone(&a.net));
    let syncing = tokio::spawn(async move { engine.sync(&*net, &|_| {}).await });
    let (mut n, mut longest) = (0, Duration::ZERO);
    while !syncing.is_finished() || n == 0 {
        let begun = Instant::now();
        n += 1;
        app.execute_unprepared(&format!("INSERT INTO lists (profile_id, name) VALUES (1, 'L{n}'); UPDATE watch_history SET position = -{n} WHERE meta_id = 'tt{n}'")).await?;
        longest = longest.max(begun.elapsed());
        tokio::task::yield_now().await;
    }
    syncing.await??;
    assert!(longest < MOST, "a write of the app waited {longest:?}");
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        scene.one("SELECT count(*) FROM lists").await?,
        n.to_string()
    );
    assert_eq!(
        b.one("SELECT count(*) FROM watch_history WHERE position < 0")
            .await?,
        n.to_string()
    );
    Ok(())
}
