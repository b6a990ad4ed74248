//! Deletion and what comes back of it: one register more, with children that follow.

mod again;
mod cascade;
mod clocks;
mod for_good;
mod in_turns;
mod orders;
mod references;
mod twice;
mod undelete;

use anyhow::Result;
use sync_tests::{NOON, Scene, SceneDevice, TestDb, scene::USER};

/// A profile with all that can be in one, down to the titles in its lists, and another profile beside it.
pub(crate) const TREE: &str = "
    INSERT INTO addons (manifest_url, name) VALUES ('https://x.test', 'X');
    INSERT INTO profiles (id, user_id, name, avatar) VALUES (1, 'u1', 'Anna', 'a'), (2, 'u1', 'Ben', 'b');
    INSERT INTO profile_addons (profile_id, addon_id) SELECT p.id, a.id FROM profiles p, addons a
      WHERE a.manifest_url = 'https://x.test';
    INSERT INTO stream_settings (profile_id) SELECT id FROM profiles;
    INSERT INTO watch_history (profile_id, meta_id, meta_type) SELECT id, 'tt1', 'movie' FROM profiles;
    INSERT INTO lists (id, profile_id, name) VALUES (1, 1, 'One'), (2, 1, 'Two'), (3, 2, 'Three');
    INSERT INTO list_items (list_id, meta_id, type) SELECT l.id, m.column1, 'movie' FROM lists l,
      (VALUES ('tt1'), ('tt2')) m";

/// All of it is live.
pub(crate) const ALL: &str = "profiles 2, lists 3, items 6, history 2, addons 2, streams 2";
/// Only the other profile is.
pub(crate) const HALF: &str = "profiles 1, lists 1, items 2, history 1, addons 1, streams 1";

/// At noon, with the tree on every device since half an hour.
pub(crate) async fn tree(db: TestDb) -> Result<(Scene, [SceneDevice; 3])> {
    let scene = Scene::at_noon(db).await?;
    let devices = scene.trio().await?;
    let [a, b, c] = &devices;
    a.at(-HALF_HOUR, TREE).await?;
    for device in [b, c] {
        sync_core::schema::pin_clock(device.device.device.db(), Some(NOON - HALF_HOUR)).await?;
    }
    scene.settled(&[a, b, c]).await?;
    Ok((scene, devices))
}

const HALF_HOUR: i64 = 1_800_000;

/// How many rows live at the server.
pub(crate) async fn live(scene: &Scene) -> Result<String> {
    let mut counts = Vec::new();
    for (word, table) in [
        ("profiles", "profiles"),
        ("lists", "lists"),
        ("items", "list_items"),
        ("history", "watch_history"),
        ("addons", "profile_addons"),
        ("streams", "stream_settings"),
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE deleted_at IS NULL");
        counts.push(format!("{word} {}", scene.one(&sql).await?));
    }
    Ok(counts.join(", "))
}

/// Checks that a device which comes now gets just what lives.
pub(crate) async fn newcomer(scene: &Scene) -> Result<()> {
    let fresh = scene.device().await?;
    fresh.sync().await?;
    let (here, there) = (
        sync_tests::snapshot::live_rows(fresh.device.device.db(), USER).await?,
        sync_tests::snapshot::live_rows(&scene.server.db, USER).await?,
    );
    assert_eq!(here, there);
    for table in sync_tests::snapshot::tables() {
        let dead = format!("SELECT count(*) FROM {table} WHERE deleted_at IS NOT NULL");
        assert_eq!(
            fresh.one(&dead).await?,
            "0",
            "a tombstone made a row in {table}"
        );
    }
    Ok(())
}
