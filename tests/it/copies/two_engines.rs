//! Two programs with an engine each on one database file, while a third writes it.

use std::sync::Arc;

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_core::{Device, SyncError, SystemClock, UuidV7};
use sync_tests::{Scene, SceneDevice, TestDb, device::open, on_both_backends};

on_both_backends!(f37_two_engines_and_an_app_on_one_file);

async fn another(device: &SceneDevice) -> Result<Device> {
    let db = open(&format!("sqlite://{}", device.file().display())).await?;
    Ok(Device::open(
        db,
        entity::registry()?,
        Arc::new(SystemClock),
        Arc::new(UuidV7),
    )
    .await?)
}

/// Each syncs over and over; at any time one of them does, the other is told to wait. Every write is kept.
async fn f37_two_engines_and_an_app_on_one_file(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Anna").await?;
    a.add_list(1, "Mine").await?;
    a.sync().await?;
    b.sync().await?;
    let app = open(&format!("sqlite://{}", a.file().display())).await?;
    let mut engines = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let (engine, net) = (another(&a).await?, Arc::clone(&a.net));
        engines.spawn(async move {
            let (mut n_done, mut n_busy) = (0, 0);
            while n_done < 15 {
                match engine.sync(&*net, &|_| {}).await {
                    Ok(_) => n_done += 1,
                    Err(SyncError::Busy) => n_busy += 1,
                    Err(error) => return Err(error),
                }
                tokio::task::yield_now().await;
            }
            Ok(n_busy)
        });
    }
    let mut n = 0;
    while !engines.is_empty() {
        n += 1;
        app.execute_unprepared(&format!(
            "INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'tt{n}', 'movie');
             UPDATE lists SET name = 'Mine {n}';
             UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE meta_id = 'tt{}'",
            n / 2
        ))
        .await?;
        b.sql("UPDATE profiles SET avatar = avatar || 'b'").await?;
        b.sync().await?;
        while let Some(ended) = engines.try_join_next() {
            ended??;
        }
    }
    scene.settled(&[&a, &b]).await?;
    // An item that went before it was ever sent is nothing to send.
    let titles = scene
        .one("SELECT count(DISTINCT meta_id) - count(*) FROM list_items")
        .await?;
    assert_eq!(titles, "0", "an item is there twice");
    assert_eq!(
        scene.one("SELECT name FROM lists").await?,
        format!("Mine {n}")
    );
    let live = scene
        .one("SELECT count(*) FROM list_items WHERE deleted_at IS NULL")
        .await?;
    assert_eq!(live, (n - n / 2).to_string());
    assert_eq!(
        scene.one("SELECT avatar FROM profiles").await?.len(),
        n + 1,
        "every edit of B"
    );
    Ok(())
}
