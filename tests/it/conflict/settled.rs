//! What stays pending when a pulled row meets one that was edited here.

use anyhow::Result;
use sync_tests::{Fault, TestDb, on_both_backends};

use super::family;

on_both_backends!(
    cf20_what_differs_goes_out_and_what_is_equal_is_clean,
    cf21_only_what_was_edited_is_sent,
    cf22_a_column_the_server_leaves_out_is_kept,
);

/// The edit is made between the push and the pull of one sync, which then brings another's edit.
async fn cf20_what_differs_goes_out_and_what_is_equal_is_clean(db: TestDb) -> Result<()> {
    for (mine, pushes) in [("'Theirs'", 0), ("'Own'", 1)] {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        b.at(-2_000, "UPDATE lists SET name = 'Theirs'").await?;
        b.sync().await?;
        a.at(-1_000, "SELECT 1").await?;
        a.net.forget();
        let db = a.device.device.db().clone();
        a.net.on_pull(Fault::before(move || async move {
            use sea_orm::ConnectionTrait;
            db.execute_unprepared(&format!("UPDATE lists SET name = {mine}"))
                .await?;
            Ok(())
        }));
        a.sync().await?;
        assert_eq!(a.net.pushes().len(), pushes, "{mine}");
        assert_eq!(
            (a.pending().await?.len(), a.dirty().await?.len()),
            (0, 0),
            "{mine}"
        );
        assert_eq!(
            scene.one("SELECT name FROM lists").await?,
            mine.trim_matches('\'')
        );
        scene.settled(&[&a, &b, &c]).await?;
    }
    Ok(())
}

async fn cf21_only_what_was_edited_is_sent(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    b.at(
        -2_000,
        "UPDATE list_items SET poster = 'of B', title = 'of B'",
    )
    .await?;
    b.sync().await?;
    a.at(-1_000, "UPDATE list_items SET title = 'of A'").await?;
    a.pull().await?;
    assert_eq!(
        a.one("SELECT title, poster FROM list_items").await?,
        "of A|of B"
    );
    assert_eq!(a.pending().await?, ["list_items 1 title"]);
    assert_eq!(a.dirty().await?, ["list_items 1"]);
    a.net.forget();
    a.sync().await?;
    let pushes = a.net.pushes();
    let row = &pushes[0]["tables"][0]["rows"][0];
    assert_eq!(row["row"], serde_json::json!({"title": "of A"}));
    let changed: Vec<_> = row["changed"]
        .as_object()
        .into_iter()
        .flat_map(|c| c.keys())
        .collect();
    assert_eq!(changed, ["title"]);
    scene.settled(&[&a, &b, &c]).await
}

/// CF22: an older server says nothing of a column: what is here stays, and is not sent as NULL either.
async fn cf22_a_column_the_server_leaves_out_is_kept(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(
        -3_000,
        "UPDATE list_items SET poster = 'kept', title = 'old'",
    )
    .await?;
    scene.settled(&[&a, &b, &c]).await?;
    b.at(-2_000, "UPDATE list_items SET title = 'new'").await?;
    b.sync().await?;
    a.net.on_pull(Fault::change_answer(|page| {
        let tables = page["tables"].as_array_mut().into_iter().flatten();
        for row in tables.flat_map(|table| table["rows"].as_array_mut().into_iter().flatten()) {
            if let Some(row) = row["row"].as_object_mut() {
                row.remove("poster");
            }
        }
    }));
    a.sync().await?;
    assert_eq!(
        a.one("SELECT title, poster FROM list_items").await?,
        "new|kept"
    );
    assert!(a.pending().await?.is_empty());
    scene.settled(&[&a, &b, &c]).await
}
