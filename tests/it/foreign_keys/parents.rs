//! Children find their parents on every replica, in any order of events.

use anyhow::Result;
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

async fn fk02_a_whole_family_made_at_once_arrives(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    every_table(&a).await?;
    a.sync().await?;
    assert_eq!((a.net.pushes().len(), scene.head().await?), (1, 8));
    scene.settled(&[&a, &b]).await
}

/// Children of a parent that changed after them are never seen without it, wherever a page ends.
async fn fk04_no_page_shows_an_orphan(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    every_table(&a).await?;
    a.sync().await?;
    // Now the parents stand behind their children in the feed.
    for table in ["lists", "settings_profiles", "profiles"] {
        a.sql(&format!("UPDATE {table} SET name = 'Later'")).await?;
        a.sync().await?;
    }
    for page_rows in 1..=8 {
        let mut b = scene.device().await?;
        b.limit_rows(1_000, page_rows);
        let mut rounds = 0;
        loop {
            // The device stops after every page.
            b.net.plan_pulls([Fault::None, Fault::LoseRequest]);
            let done = b.sync().await.is_ok();
            b.check().await?;
            assert_eq!(b.status().await?.quarantined, [], "{page_rows} a page");
            if done {
                break;
            }
            b.net.forget();
            rounds += 1;
            assert!(rounds < 20, "it does not get on");
        }
        b.net.plan_pulls([]);
        scene.settled(&[&a, &b]).await?;
    }
    Ok(())
}

async fn fk06_a_new_child_of_a_deleted_parent_goes_and_comes_back_with_it(
    db: TestDb,
) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Favorites").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    a.sync().await?;
    b.add_item(1, "tt1").await?;

    let report = b.sync().await?;

    assert_eq!((report.n_pushed, report.n_rejected), (1, 0));
    assert_eq!(
        scene
            .one("SELECT count(*) FROM list_items WHERE deleted_at IS NOT NULL")
            .await?,
        "1"
    );
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE lists SET deleted_at = NULL").await?;
    scene.settled(&[&a, &b]).await?;
    for device in [&a, &b] {
        assert_eq!(
            device
                .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL")
                .await?,
            ["tt1"]
        );
    }
    Ok(())
}

/// The same where the parent's row is gone for good.
async fn fk06_a_new_child_of_a_parent_that_is_gone_goes_too(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.add_item(list, "tt0").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("DELETE FROM lists").await?;
    a.sync().await?;
    b.add_item(1, "tt1").await?;
    b.sync().await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        Vec::<String>::new()
    );
    Ok(())
}

/// A child that was moved to a parent which was deleted elsewhere.
async fn fk06_a_child_moved_under_a_deleted_parent_is_deleted_everywhere(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let (one, two) = (
        a.add_list(profile, "One").await?,
        a.add_list(profile, "Two").await?,
    );
    a.add_item(one, "tt1").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql(&format!(
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = {two}"
    ))
    .await?;
    a.sync().await?;
    b.sql("UPDATE list_items SET list_id = (SELECT id FROM lists WHERE name = 'Two')")
        .await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        Vec::<String>::new()
    );
    Ok(())
}

/// The child was moved away before its old parent was deleted, also where both do not fit in one push.
async fn fk06_a_child_moved_away_in_time_survives(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (mut a, b) = scene.pair().await?;
    for push_rows in [1_000, 1] {
        for delete in [
            "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP",
            "DELETE FROM lists",
        ] {
            let profile = a.add_profile("Kids").await?;
            let (one, two) = (
                a.add_list(profile, "One").await?,
                a.add_list(profile, "Two").await?,
            );
            let item = a.add_item(one, "tt1").await?;
            a.sync().await?;
            b.sync().await?;
            a.limit_rows(push_rows, 1_000);
            a.sql(&format!(
                "UPDATE list_items SET list_id = {two} WHERE id = {item}"
            ))
            .await?;
            a.sql(&format!("{delete} WHERE id = {one}")).await?;
            scene.settled(&[&a, &b]).await?;
            for device in [&a, &b] {
                let titles = device.rows(
                    "SELECT l.name, i.meta_id FROM list_items i JOIN lists l ON l.id = i.list_id WHERE i.deleted_at IS NULL",
                );
                assert_eq!(titles.await?, ["Two|tt1"], "{delete}, {push_rows} a push");
            }
            a.sql("DELETE FROM profiles").await?;
        }
    }
    Ok(())
}

/// What the user deletes for good while a page brings more under it.
async fn fk06_a_parent_that_goes_while_its_child_comes(db: TestDb) -> Result<()> {
    for delete in [
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP",
        "DELETE FROM lists",
    ] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (a, b) = scene.pair().await?;
        let profile = a.add_profile("Kids").await?;
        let list = a.add_list(profile, "Favorites").await?;
        scene.settled(&[&a, &b]).await?;
        a.add_item(list, "tt1").await?;
        a.sync().await?;
        b.net.on_pull(b.meanwhile(delete));
        b.sync().await?;
        scene.settled(&[&b, &a]).await?;
        assert_eq!(
            a.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
                .await?,
            Vec::<String>::new()
        );
    }
    Ok(())
}

async fn fk07_no_settings_profile_is_fine(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.sql("INSERT INTO settings_profiles (user_id, name) VALUES ('u1', 'Common')")
        .await?;
    a.sql("INSERT INTO profiles (user_id, name, avatar, settings_profile_id) VALUES ('u1', 'Kids', 'x', NULL)").await?;
    scene.settled(&[&a, &b]).await?;
    let reference = "SELECT s.name FROM profiles p LEFT JOIN settings_profiles s ON s.id = p.settings_profile_id";
    for (to, name) in [("1", "Common"), ("NULL", "NULL"), ("1", "Common")] {
        a.sql(&format!("UPDATE profiles SET settings_profile_id = {to}"))
            .await?;
        scene.settled(&[&a, &b]).await?;
        assert_eq!(b.one(reference).await?, name);
    }
    Ok(())
}

async fn fk10_a_row_may_have_another_id_on_every_device(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    for (table, used) in [("profiles", 6), ("lists", 30), ("settings_profiles", 4)] {
        b.sql(&format!(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {used})"
        ))
        .await?;
    }
    every_table(&a).await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        a.one("SELECT id, settings_profile_id FROM profiles")
            .await?,
        "1|1"
    );
    assert_eq!(
        b.one("SELECT id, settings_profile_id FROM profiles")
            .await?,
        "7|5"
    );
    assert_eq!(b.one("SELECT id, profile_id FROM lists").await?, "31|7");
    assert_eq!(b.one("SELECT list_id FROM list_items").await?, "31");

    b.add_item(31, "tt2").await?;
    b.sql("UPDATE lists SET name = 'Renamed by B' WHERE id = 31")
        .await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.rows("SELECT list_id, meta_id FROM list_items ORDER BY 2")
            .await?,
        ["1|tt1", "1|tt2"]
    );
    Ok(())
}

/// A row in each of the eight tables, each referring to the others.
async fn every_table(device: &SceneDevice) -> Result<()> {
    for sql in [
        "INSERT INTO settings_profiles (user_id, name) VALUES ('u1', 'Common')",
        "INSERT INTO profiles (user_id, name, avatar, settings_profile_id) VALUES ('u1', 'Kids', 'x', 1)",
        "INSERT INTO profile_addons (settings_profile_id, addon_id) SELECT 1, id FROM addons LIMIT 1",
        "INSERT INTO stream_settings (settings_profile_id, config) VALUES (1, '{}')",
        "INSERT INTO appearance_settings (settings_profile_id, show_imdb_ratings) VALUES (1, 0)",
        "INSERT INTO watch_history (profile_id, meta_id, meta_type, position) VALUES (1, 'tt1', 'movie', 60)",
        "INSERT INTO lists (profile_id, name) VALUES (1, 'Favorites')",
        "INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'tt1', 'movie')",
    ] {
        device.sql(sql).await?;
    }
    Ok(())
}

on_both_backends!(
    fk02_a_whole_family_made_at_once_arrives,
    fk04_no_page_shows_an_orphan,
    fk06_a_new_child_of_a_deleted_parent_goes_and_comes_back_with_it,
    fk06_a_new_child_of_a_parent_that_is_gone_goes_too,
    fk06_a_child_moved_under_a_deleted_parent_is_deleted_everywhere,
    fk06_a_parent_that_goes_while_its_child_comes,
    fk07_no_settings_profile_is_fine,
    fk10_a_row_may_have_another_id_on_every_device,
);

on_both_backends!(fk06_a_child_moved_away_in_time_survives);
