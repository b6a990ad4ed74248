//! Pages of every size hold each row once, and say rightly whether there is more.

use anyhow::Result;
use sync_tests::{Scene, TestDb, on_both_backends};

use super::{all_pages, names, page};

on_both_backends!(
    pg01_a_thousand_rows_in_pages_of_every_size,
    pg02_whether_there_is_more,
    pg09_an_account_without_rows,
);

/// A profile and so many rows in it.
async fn with_rows(db: TestDb, n: usize) -> Result<Scene> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("Anna").await?;
    a.sql(&format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {n})
         INSERT INTO watch_history (profile_id, meta_id, meta_type) SELECT 1, 'tt' || n, 'movie' FROM n"
    ))
    .await?;
    a.sync().await?;
    Ok(scene)
}

async fn pg01_a_thousand_rows_in_pages_of_every_size(db: TestDb) -> Result<()> {
    let scene = with_rows(db, 999).await?;
    let feed = scene
        .rows("SELECT tbl || ' ' || remote_id FROM sync_feed ORDER BY seq")
        .await?;
    assert_eq!(feed.len(), 1_000);
    for limit in [1_u32, 2, 3, 7, 100, 999, 1_000, 1_001, 5_000, u32::MAX] {
        let pages = all_pages(&scene, limit).await?;
        let full = usize::try_from(limit.min(5_000))?;
        assert_eq!(pages.len(), 1_000_usize.div_ceil(full).max(1), "{limit}");
        assert!(pages.iter().all(|page| page.len() <= full));
        let rows: Vec<String> = pages.concat();
        assert_eq!(rows, feed, "each once and in order, {limit} a page");
    }
    Ok(())
}

async fn pg02_whether_there_is_more(db: TestDb) -> Result<()> {
    for n in 0..5_usize {
        let scene = with_rows(TestDb::new(db.backend()).await?, n.max(1)).await?;
        if n == 0 {
            scene.sql("DELETE FROM watch_history").await?;
        }
        // A profile and, where none was, a tombstone.
        let n = n.max(1) + 1;
        for limit in [n - 1, n, n + 1] {
            let first = page(&scene, None, u32::try_from(limit)?).await?;
            assert_eq!(
                (names(&first)?.len(), first.has_more),
                (n.min(limit), limit < n),
                "{n} rows, {limit} a page"
            );
            let rest = page(&scene, Some(&first.cursor), 100).await?;
            assert_eq!(
                (names(&rest)?.len(), rest.has_more),
                (n - n.min(limit), false)
            );
            assert_eq!(rest.cursor, rest.head);
            let none = page(&scene, Some(&rest.cursor), 1).await?;
            assert_eq!(
                (names(&none)?.len(), none.has_more, &none.cursor),
                (0, false, &rest.cursor)
            );
        }
    }
    Ok(())
}

async fn pg09_an_account_without_rows(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let first = page(&scene, None, 1).await?;
    assert_eq!((names(&first)?.len(), first.has_more), (0, false));
    let a = scene.device().await?;
    a.add_profile("Anna").await?;
    a.sync().await?;
    let next = page(&scene, Some(&first.cursor), 10).await?;
    assert_eq!((names(&next)?.len(), next.has_more), (1, false));
    Ok(())
}
