//! Rows that came and went, or changed and changed back, before anything was sent.

use anyhow::Result;
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

async fn pu05_what_is_deleted_before_its_first_push_is_never_sent(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    let profile = a.add_profile("Kids").await?;
    a.sync().await?;
    let head = scene.head().await?;
    a.net.forget();
    for delete in [
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP",
        "DELETE FROM lists",
    ] {
        let list = a.add_list(profile, "Favorites").await?;
        a.add_item(list, "tt1").await?;
        a.sql(delete).await?;
        a.sync().await?;
    }

    assert!(a.net.pushes().is_empty());
    assert_eq!(scene.head().await?, head);
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "0");
    assert_eq!(
        a.rows("SELECT id FROM lists WHERE deleted_at IS NULL")
            .await?,
        Vec::<String>::new()
    );
    scene.settled(&[&a]).await
}

async fn pu05_added_again_after_that_it_is_sent_once(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Favorites").await?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    a.sync().await?;
    // As the app does it: the same row comes back, or a new one is made where it is gone.
    a.sql("UPDATE lists SET deleted_at = NULL").await?;
    a.sql(
        "INSERT INTO lists (profile_id, name) SELECT 1, 'Favorites'
         WHERE NOT EXISTS (SELECT 1 FROM lists WHERE deleted_at IS NULL)",
    )
    .await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.rows("SELECT name FROM lists").await?, ["Favorites"]);
    Ok(())
}

/// The server knows the item, but not the list it was moved to, which is gone by then.
async fn pu05_a_known_row_moved_under_such_a_row_is_deleted_everywhere(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Old").await?;
    a.add_item(list, "tt1").await?;
    scene.settled(&[&a, &b]).await?;

    let new = a.add_list(profile, "New").await?;
    a.sql(&format!("UPDATE list_items SET list_id = {new}"))
        .await?;
    a.sql(&format!(
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = {new}"
    ))
    .await?;

    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        Vec::<String>::new()
    );
    Ok(())
}

async fn pu06_edits_before_the_first_push_are_one_creation(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("First").await?;
    a.sql("UPDATE profiles SET name = 'Last', avatar = 'y'")
        .await?;
    a.sync().await?;
    assert_eq!((a.net.pushes().len(), scene.head().await?), (1, 1));
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.one("SELECT name, avatar FROM profiles").await?, "Last|y");
    Ok(())
}

async fn pu18_there_and_back_is_no_change(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    let profile = a.add_profile("Kids").await?;
    a.sql(&format!(
        "INSERT INTO watch_history (profile_id, meta_id, meta_type, position, duration, is_watched)
         VALUES ({profile}, 'tt1', 'movie', 60, 5400, 0)"
    ))
    .await?;
    a.sync().await?;
    for (there, back) in [
        (
            "UPDATE profiles SET is_default = 1",
            "UPDATE profiles SET is_default = NULL",
        ),
        (
            "UPDATE profiles SET name = 'Other', avatar = 'y'",
            "UPDATE profiles SET avatar = 'x', name = 'Kids'",
        ),
        (
            "UPDATE watch_history SET position = 90, is_watched = 1",
            "UPDATE watch_history SET position = 60, is_watched = 0",
        ),
        (
            "UPDATE profiles SET deleted_at = '2026-01-01 00:00:00'",
            "UPDATE profiles SET deleted_at = NULL",
        ),
    ] {
        let head = scene.head().await?;
        a.net.forget();
        a.sql(there).await?;
        a.sql(back).await?;
        a.sync().await?;
        assert!(a.net.pushes().is_empty(), "{there}");
        assert_eq!(scene.head().await?, head, "{there}");
        a.check().await?;
    }
    Ok(())
}

/// Part of a row went back, part of it did not.
async fn pu18_only_what_differs_is_sent(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("Kids").await?;
    a.sync().await?;
    a.net.forget();
    a.sql("UPDATE profiles SET name = 'Other', avatar = 'y'")
        .await?;
    a.sql("UPDATE profiles SET name = 'Kids'").await?;
    a.sync().await?;
    assert_eq!(changed(&a), ["avatar"]);
    scene.settled(&[&a]).await
}

/// The server may hold what was undone here.
async fn pu18_what_may_have_arrived_is_undone_there_too(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    for fault in [Fault::LoseAnswer, Fault::LoseRequest] {
        a.sql("UPDATE profiles SET name = 'Other'").await?;
        a.net.on_push(fault);
        assert!(a.sync().await.is_err());
        a.sql("UPDATE profiles SET name = 'Kids'").await?;
        scene.settled(&[&a, &b]).await?;
        assert_eq!(b.one("SELECT name FROM profiles").await?, "Kids");
    }
    Ok(())
}

/// The registers that the only push names of its only row.
fn changed(device: &SceneDevice) -> Vec<String> {
    let pushes = device.net.pushes();
    assert_eq!(pushes.len(), 1);
    let changed = pushes[0]["tables"][0]["rows"][0]["changed"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    changed.keys().cloned().collect()
}

on_both_backends!(
    pu05_what_is_deleted_before_its_first_push_is_never_sent,
    pu05_added_again_after_that_it_is_sent_once,
    pu06_edits_before_the_first_push_are_one_creation,
    pu18_there_and_back_is_no_change,
    pu18_only_what_differs_is_sent,
    pu18_what_may_have_arrived_is_undone_there_too,
);

on_both_backends!(pu05_a_known_row_moved_under_such_a_row_is_deleted_everywhere);
