//! A parent that goes with very many rows below it, in one step on each side.

use anyhow::Result;
use sync_tests::{Scene, SceneDevice, TestDb, on_both_backends};

use super::watch;

on_both_backends!(lg08_a_profile_with_many_descendants_goes_and_comes_back);

/// Fifty thousand would take minutes without optimisation, most of them to make the rows and bring them over.
const N: u32 = 4_000;

async fn n_live(device: &SceneDevice) -> Result<u32> {
    let sql = "SELECT (SELECT count(*) FROM watch_history WHERE deleted_at IS NULL) + (SELECT count(*) FROM list_items WHERE deleted_at IS NULL)";
    Ok(device.one(sql).await?.parse()?)
}

async fn lg08_a_profile_with_many_descendants_goes_and_comes_back(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Anna").await?;
    watch(&a, N / 2).await?;
    a.sql(&format!(
        "INSERT INTO lists (profile_id, name) VALUES (1, 'One'), (1, 'Two');
         INSERT INTO list_items (list_id, meta_id, type) SELECT l.id, w.meta_id, 'movie' FROM watch_history w, lists l WHERE w.position <= {}", N / 4
    ))
    .await?;
    a.sync().await?;
    b.sync().await?;
    assert_eq!(n_live(&b).await?, N);
    // The device that deletes sends what it knows; the server's cascade has the rest done before.
    a.sql("UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    a.net.forget();
    a.sync().await?;
    assert!(
        scene
            .rows("SELECT id FROM list_items WHERE deleted_at IS NULL LIMIT 1")
            .await?
            .is_empty()
    );
    b.sync().await?;
    assert_eq!(n_live(&b).await?, 0, "B has all tombstones");
    b.sql("UPDATE profiles SET deleted_at = NULL").await?;
    b.sync().await?;
    a.sync().await?;
    assert_eq!((n_live(&a).await?, n_live(&b).await?), (N, N));
    scene.settled(&[&a, &b]).await
}
