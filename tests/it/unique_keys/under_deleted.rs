//! The same thing made twice under a parent that is deleted: only one of the two can come back.

use anyhow::Result;
use sync_tests::{ORDERS, SceneDevice, TestDb, on_both_backends, scene::USER, scene_time::sync_in};

use super::{base, lists_are};

on_both_backends!(
    uk17_made_twice_under_a_deleted_profile,
    uk17_renamed_under_a_deleted_profile,
    uk17_brought_back_by_the_servers_own_sql,
);

const DELETE: &str = "UPDATE profiles SET deleted_at = '2027-01-15 11:59:57'";
const UNDELETE: &str = "UPDATE profiles SET deleted_at = NULL";

async fn add(device: &SceneDevice, at: i64) -> Result<()> {
    let title = format!("of {}", device.number);
    device.at(at, &format!(
        "INSERT INTO lists (id, profile_id, name) VALUES (77, 1, 'New');
         INSERT INTO list_items (list_id, meta_id, type) VALUES (77, '{title}', 'movie'), (77, 'common', 'movie');
         INSERT INTO stream_settings (profile_id, config) VALUES (1, '{title}');
         INSERT INTO watch_history (profile_id, meta_id, meta_type, title) VALUES (1, 'tt1', 'movie', '{title}')"
    )).await
}

/// A deletes the profile, B and C add the same to it. After the undelete all that is left is one of each.
async fn uk17_made_twice_under_a_deleted_profile(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        a.at(-3_000, DELETE).await?;
        add(&b, -2_000).await?;
        add(&c, -1_000).await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        lists_are(&scene, &[&a, &b, &c], &[]).await?;
        let there = scene.account(USER).await?;
        for device in [&a, &b, &c] {
            for request in device.net.requests() {
                device.net.deliver(request).await?;
            }
        }
        assert_eq!(scene.account(USER).await?, there, "sent again: {order:?}");
        a.at(-500, UNDELETE).await?;
        scene.settled(&[&a, &b, &c]).await?;
        for (table, expected) in [
            ("lists WHERE name = 'New'", 1),
            ("stream_settings WHERE 1 = 1", 1),
            ("watch_history WHERE 1 = 1", 1),
        ] {
            let live = format!("SELECT id FROM {table} AND deleted_at IS NULL");
            assert_eq!(
                scene.rows(&live).await?.len(),
                expected,
                "{table} {order:?}"
            );
        }
        let titles = scene
            .rows("SELECT DISTINCT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
            .await?;
        assert_eq!(
            titles,
            ["common", "in-x", "in-y", "of 2", "of 3"],
            "{order:?}"
        );
    }
    Ok(())
}

/// B renames X to Z and C Y to Z, in a profile that A has deleted.
async fn uk17_renamed_under_a_deleted_profile(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        a.at(-3_000, DELETE).await?;
        b.at(-2_000, "UPDATE lists SET name = 'Z' WHERE name = 'X'")
            .await?;
        c.at(-1_000, "UPDATE lists SET name = 'Z' WHERE name = 'Y'")
            .await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        b.at(-500, UNDELETE).await?;
        scene.settled(&[&b, &a, &c]).await?;
        let titles = scene
            .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
            .await?;
        assert_eq!(titles, ["in-x", "in-y"], "{order:?}");
        let names = scene
            .rows("SELECT name FROM lists WHERE deleted_at IS NULL ORDER BY 1")
            .await?;
        assert_eq!(names, ["Z", "Z (2)"], "{order:?}");
    }
    Ok(())
}

async fn uk17_brought_back_by_the_servers_own_sql(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    a.at(-3_000, DELETE).await?;
    a.sync().await?;
    add(&b, -2_000).await?;
    add(&c, -1_000).await?;
    scene.settled(&[&a, &b, &c]).await?;
    scene.sql("UPDATE profiles SET deleted_at = NULL").await?;
    scene.settled(&[&a, &b, &c]).await?;
    let n = scene
        .rows("SELECT id FROM lists WHERE name = 'New' AND deleted_at IS NULL")
        .await?
        .len();
    assert_eq!(n, 1);
    Ok(())
}
