//! Many rows and one change: one row travels.

use anyhow::Result;
use sync_tests::{Scene, TestDb, on_both_backends};

use super::names;

on_both_backends!(pg12_one_changed_row_of_ten_thousand);

async fn pg12_one_changed_row_of_ten_thousand(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Anna").await?;
    a.sql(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
         INSERT INTO watch_history (profile_id, meta_id, meta_type) SELECT 1, 'tt' || n, 'movie' FROM n",
    )
    .await?;
    a.sync().await?;
    b.sync().await?;
    let cursor = b.cursor().await?;
    a.sql("UPDATE watch_history SET position = 5 WHERE meta_id = 'tt5000'")
        .await?;
    a.net.forget();
    a.sync().await?;
    let pushes = a.net.pushes();
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0]["tables"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        pushes[0]["tables"][0]["rows"].as_array().map(Vec::len),
        Some(1)
    );
    let next = super::page(&scene, cursor.as_deref(), 1_000).await?;
    // Its profile need not come again: it was before it.
    assert_eq!(names(&next)?.len(), 1);
    b.watch_writes().await?;
    assert_eq!(b.sync().await?.n_pulled, 1);
    assert_eq!(b.writes().await?.len(), 1);
    assert_eq!(
        b.one("SELECT position FROM watch_history WHERE meta_id = 'tt5000'")
            .await?,
        "5"
    );
    Ok(())
}
