//! Renames onto a key that is taken: a suffix, the same on all, and nothing is lost.

use anyhow::Result;
use sync_tests::{ORDERS, SceneDevice, TestDb, on_both_backends, scene_time::sync_in};

use super::{base, lists_are};

on_both_backends!(
    uk05_a_rename_onto_a_name_that_is_made_elsewhere,
    uk06_three_things_get_one_name,
    uk06_the_suffix_is_taken_too,
    uk05_a_taken_name_that_is_pulled_before_the_rename_is_pushed,
    uk09_a_title_moved_to_where_it_is_already,
    uk09_a_row_without_a_name_gives_way,
);

async fn rename(device: &SceneDevice, at: i64, from: &str, to: &str) -> Result<()> {
    device
        .at(
            at,
            &format!("UPDATE lists SET name = '{to}' WHERE name = '{from}'"),
        )
        .await
}

async fn uk05_a_rename_onto_a_name_that_is_made_elsewhere(db: TestDb) -> Result<()> {
    for (order, expected) in [
        ([0, 1], ["Kids: in-x, new", "Y: in-y"].as_slice()),
        (
            [1, 0],
            ["Kids: new", "Kids (2): in-x", "Y: in-y"].as_slice(),
        ),
    ] {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        rename(&a, -2_000, "X", "Kids").await?;
        let list = b.add_list(1, "Kids").await?;
        b.add_item(list, "new").await?;
        sync_in(&order, &[&a, &b]).await?;
        // A new row that is the same thing becomes one with it; a known row is another thing.
        lists_are(&scene, &[&a, &b, &c], expected).await?;
        lists_are(&scene, &[&c, &b, &a], expected).await?;
    }
    Ok(())
}

/// Two are renamed to it and one is made: in every order all three are there, or two where the new one is
/// the same thing as one of them.
async fn uk06_three_things_get_one_name(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        rename(&a, -2_000, "X", "Kids").await?;
        rename(&b, -1_000, "Y", "Kids").await?;
        let list = c.add_list(1, "Kids").await?;
        c.add_item(list, "new").await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        let titles = scene
            .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
            .await?;
        assert_eq!(titles, ["in-x", "in-y", "new"], "{order:?}");
        let names = scene
            .rows("SELECT name FROM lists WHERE deleted_at IS NULL ORDER BY length(name), name")
            .await?;
        let expected = ["Kids", "Kids (2)", "Kids (3)"];
        assert!(
            (2..=3).contains(&names.len()) && names == expected[..names.len()],
            "{order:?}: {names:?}"
        );
    }
    Ok(())
}

async fn uk06_the_suffix_is_taken_too(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    rename(&a, -3_000, "X", "Kids").await?;
    a.add_list(1, "Kids (2)").await?;
    rename(&b, -1_000, "Y", "Kids").await?;
    a.sync().await?;
    lists_are(
        &scene,
        &[&b, &a, &c],
        &["Kids: in-x", "Kids (2): ", "Kids (3): in-y"],
    )
    .await
}

/// B's rename is pending when the other row of that name comes by a pull.
async fn uk05_a_taken_name_that_is_pulled_before_the_rename_is_pushed(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    let list = a.add_list(1, "Kids").await?;
    a.add_item(list, "new").await?;
    a.sync().await?;
    rename(&b, -1_000, "X", "Kids").await?;
    b.pull().await?;
    b.pull().await?;
    lists_are(
        &scene,
        &[&b, &a, &c],
        &["Kids: new", "Kids (2): in-x", "Y: in-y"],
    )
    .await
}

async fn uk09_a_title_moved_to_where_it_is_already(db: TestDb) -> Result<()> {
    for order in [[0, 1], [1, 0]] {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        a.at(
            -2_000,
            "UPDATE list_items SET list_id = 2 WHERE meta_id = 'in-x'",
        )
        .await?;
        b.at(-1_000, "INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'in-x', 'movie', 'B' FROM lists WHERE name = 'Y'").await?;
        sync_in(&order, &[&a, &b]).await?;
        lists_are(&scene, &[&a, &b, &c], &["X: ", "Y: in-x, in-y"]).await?;
        assert_eq!(
            a.rows("SELECT title FROM list_items WHERE meta_id = 'in-x' AND deleted_at IS NULL")
                .await?,
            ["B"]
        );
    }
    Ok(())
}

/// The key of an addon's use has no text to put a suffix to.
async fn uk09_a_row_without_a_name_gives_way(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        let by = |column: &str, priority: u8| {
            format!(
                "INSERT INTO profile_addons ({column}, addon_id, priority) SELECT 1, id, {priority} FROM addons WHERE manifest_url = 'https://x.test'"
            )
        };
        a.at(-9_000, &by("profile_id", 1)).await?;
        scene.settled(&[&a, &b, &c]).await?;
        // Its profile's use becomes that of the settings profile, which another device has made.
        a.at(
            -2_000,
            "UPDATE profile_addons SET profile_id = NULL, settings_profile_id = 1",
        )
        .await?;
        b.at(-3_000, &by("settings_profile_id", 2)).await?;
        c.at(-1_000, "UPDATE profile_addons SET enabled = 0")
            .await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        let live = scene.rows("SELECT CAST(settings_profile_id AS TEXT) FROM profile_addons WHERE deleted_at IS NULL").await?;
        assert_eq!(live, ["1"], "{order:?}");
    }
    Ok(())
}
