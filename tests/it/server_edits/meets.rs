//! An edit there meets edits of devices that have not seen it: the same rules as between devices.

use anyhow::Result;
use sync_tests::{NOON, Scene, TestDb, on_both_backends};

use crate::conflict::family;

on_both_backends!(
    the_later_edit_stands,
    different_fields_are_both_kept,
    a_deletion_there_and_an_edit_here,
    a_row_moved_here_and_its_parents_deleted_there,
    the_same_thing_made_on_both_sides,
    what_is_put_under_a_deleted_parent_there_goes_with_it,
);

async fn there(scene: &Scene, ms: i64, sql: &str) -> Result<()> {
    scene
        .sql(&format!("UPDATE sync_clock SET pinned_ms = {}", NOON + ms))
        .await?;
    scene.sql(sql).await
}

async fn the_later_edit_stands(db: TestDb) -> Result<()> {
    for (server_at, device_at, expected) in [(-2_000, -1_000, "device"), (-1_000, -2_000, "server")]
    {
        for seen_by_c in [false, true] {
            let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
            a.at(device_at, "UPDATE lists SET name = 'device'").await?;
            there(&scene, server_at, "UPDATE lists SET name = 'server'").await?;
            if seen_by_c {
                c.sync().await?;
            }
            scene.settled(&[&a, &b, &c]).await?;
            assert_eq!(
                scene.one("SELECT name FROM lists").await?,
                expected,
                "{seen_by_c}"
            );
        }
    }
    Ok(())
}

async fn different_fields_are_both_kept(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(
        -1_000,
        "UPDATE list_items SET title = 'device'; UPDATE profiles SET avatar = 'device'",
    )
    .await?;
    there(&scene, -2_000, "UPDATE list_items SET poster = 'server'").await?;
    there(&scene, -500, "UPDATE profiles SET name = 'server'").await?;
    scene.settled(&[&a, &b, &c]).await?;
    let all = "SELECT i.title || i.poster || p.name || p.avatar FROM list_items i, profiles p";
    assert_eq!(scene.one(all).await?, "deviceserverserverdevice");
    Ok(())
}

async fn a_deletion_there_and_an_edit_here(db: TestDb) -> Result<()> {
    for server_at in [-2_000, -500] {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        a.at(-1_000, "UPDATE lists SET name = 'Edited'; INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'new', 'movie')").await?;
        there(
            &scene,
            server_at,
            "UPDATE profiles SET deleted_at = '2027-01-15 11:59:58+00:00'",
        )
        .await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert!(
            scene
                .rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
                .await?
                .is_empty()
        );
        there(&scene, -100, "UPDATE profiles SET deleted_at = NULL").await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(
            scene
                .one("SELECT name FROM lists WHERE deleted_at IS NULL")
                .await?,
            "Edited"
        );
        assert_eq!(
            scene
                .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
                .await?,
            ["new", "tt1"]
        );
    }
    Ok(())
}

/// The item moves to another list while its old list, or its new one, is deleted there.
async fn a_row_moved_here_and_its_parents_deleted_there(db: TestDb) -> Result<()> {
    for (gone, lives) in [("Mine", true), ("Other", false)] {
        for hard in [false, true] {
            let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
            a.at(
                -9_000,
                "INSERT INTO lists (profile_id, name) VALUES (1, 'Other')",
            )
            .await?;
            scene.settled(&[&a, &b, &c]).await?;
            a.at(
                -2_000,
                "UPDATE list_items SET list_id = (SELECT id FROM lists WHERE name = 'Other')",
            )
            .await?;
            let delete = if hard {
                format!("DELETE FROM lists WHERE name = '{gone}'")
            } else {
                format!(
                    "UPDATE lists SET deleted_at = '2027-01-15 11:59:59+00:00' WHERE name = '{gone}'"
                )
            };
            there(&scene, -1_000, &delete).await?;
            scene.settled(&[&a, &b, &c]).await?;
            let live = scene
                .rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
                .await?
                .len();
            // What is deleted for good there takes all along that was in it then: nothing is left to move.
            assert_eq!(live == 1, lives && !hard, "{gone}, for good: {hard}");
        }
    }
    Ok(())
}

async fn the_same_thing_made_on_both_sides(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(-1_000, "INSERT INTO lists (id, profile_id, name) VALUES (77, 1, 'Favorites'); INSERT INTO list_items (list_id, meta_id, type) VALUES (77, 'device', 'movie'), (77, 'both', 'movie')").await?;
    there(
        &scene,
        -2_000,
        "INSERT INTO lists (profile_id, name) SELECT id, 'Favorites' FROM profiles",
    )
    .await?;
    there(&scene, -2_000, "INSERT INTO list_items (list_id, meta_id, type) SELECT l.id, m.name, 'movie' FROM lists l, (SELECT 'server' AS name UNION SELECT 'both') m WHERE l.name = 'Favorites'").await?;
    scene.settled(&[&a, &b, &c]).await?;
    let titles = scene.rows("SELECT i.meta_id FROM list_items i JOIN lists l ON l.id = i.list_id WHERE l.name = 'Favorites' ORDER BY 1").await?;
    assert_eq!(titles, ["both", "device", "server"]);
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "2");
    Ok(())
}

/// Undeleted, added and moved by SQL where the parent is deleted; all of it comes back with the parent.
async fn what_is_put_under_a_deleted_parent_there_goes_with_it(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(
        -9_000,
        "INSERT INTO profiles (id, user_id, name, avatar) VALUES (77, 'u1', 'Ben', 'b');
         INSERT INTO lists (id, profile_id, name) VALUES (77, 77, 'Moved');
         INSERT INTO list_items (list_id, meta_id, type) VALUES (77, 'moved', 'movie');
         UPDATE profiles SET settings_profile_id = NULL",
    )
    .await?;
    a.at(
        -8_000,
        "UPDATE lists SET deleted_at = '2027-01-15 11:59:52' WHERE name = 'Mine'",
    )
    .await?;
    a.at(
        -7_000,
        "UPDATE profiles SET deleted_at = '2027-01-15 11:59:53' WHERE name = 'Anna';
        UPDATE settings_profiles SET deleted_at = '2027-01-15 11:59:53'",
    )
    .await?;
    scene.settled(&[&a, &b, &c]).await?;
    there(
        &scene,
        -3_000,
        "UPDATE lists SET deleted_at = NULL WHERE name = 'Mine'",
    )
    .await?;
    there(&scene, -3_000, "UPDATE lists SET profile_id = (SELECT id FROM profiles WHERE name = 'Anna') WHERE name = 'Moved'").await?;
    there(
        &scene,
        -3_000,
        "INSERT INTO lists (profile_id, name) SELECT id, 'New' FROM profiles WHERE name = 'Anna'",
    )
    .await?;
    there(&scene, -3_000, "INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'new', 'movie' FROM lists WHERE name = 'New'").await?;
    there(&scene, -3_000, "UPDATE profiles SET settings_profile_id = (SELECT id FROM settings_profiles) WHERE name = 'Ben'").await?;
    scene.settled(&[&a, &b, &c]).await?;
    for table in ["lists", "list_items"] {
        let live = format!("SELECT count(*) FROM {table} WHERE deleted_at IS NULL");
        assert_eq!(scene.one(&live).await?, "0", "{table}");
    }
    let uses = "SELECT count(settings_profile_id) FROM profiles WHERE name = 'Ben'";
    assert_eq!(
        (scene.one(uses).await?, c.one(uses).await?),
        ("0".to_owned(), "0".to_owned())
    );
    b.at(-500, "UPDATE profiles SET deleted_at = NULL").await?;
    scene.settled(&[&b, &a, &c]).await?;
    let names = scene
        .rows("SELECT name FROM lists WHERE deleted_at IS NULL ORDER BY 1")
        .await?;
    assert_eq!(names, ["Mine", "Moved", "New"]);
    let items = scene
        .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
        .await?;
    assert_eq!(items, ["moved", "new", "tt1"]);
    Ok(())
}
