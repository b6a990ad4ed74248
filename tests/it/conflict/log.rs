//! An edit that was beaten is written down where it was made, with what it gave way to.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::family;

on_both_backends!(
    cf25_a_beaten_edit_is_logged_where_it_was_made,
    cf25_the_log_does_not_grow_for_ever,
);

async fn cf25_a_beaten_edit_is_logged_where_it_was_made(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(
        -2_000,
        "UPDATE lists SET name = 'Mine'; UPDATE lists SET name = 'Lost'",
    )
    .await?;
    b.at(-1_000, "UPDATE lists SET name = 'Kept'").await?;
    b.sync().await?;
    let report = a.sync().await?;
    assert_eq!(report.n_conflicts, 1);
    scene.settled(&[&a, &b, &c]).await?;
    let log = "SELECT tbl, register, local, remote FROM sync_conflict";
    assert_eq!(a.rows(log).await?, [r#"lists|name|["Lost"]|["Kept"]"#]);
    assert!(b.rows(log).await?.is_empty() && c.rows(log).await?.is_empty());
    let name = a
        .one("SELECT c.remote_id = l.remote_id FROM sync_conflict c, lists l")
        .await?;
    assert_eq!(name, "1", "the row can be found");
    let secret = a
        .one("SELECT count(*) FROM sync_conflict WHERE local || remote LIKE '%sealed%'")
        .await?;
    assert_eq!(secret, "0");
    Ok(())
}

async fn cf25_the_log_does_not_grow_for_ever(db: TestDb) -> Result<()> {
    let (_scene, [a, b, _]) = family(db).await?;
    a.sql(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
         INSERT INTO sync_conflict (tbl, remote_id, register, at) SELECT 'lists', n, 'name', n FROM n",
    )
    .await?;
    a.at(-2_000, "UPDATE lists SET name = 'Lost'").await?;
    b.at(-1_000, "UPDATE lists SET name = 'Kept'").await?;
    b.sync().await?;
    a.sync().await?;
    let (n, last) = (
        a.one("SELECT count(*) FROM sync_conflict").await?,
        a.one("SELECT remote FROM sync_conflict ORDER BY id DESC LIMIT 1")
            .await?,
    );
    assert_eq!((n.as_str(), last.as_str()), ("1000", "[\"Kept\"]"));
    Ok(())
}
