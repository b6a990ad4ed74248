//! Two devices and more make, rename or undelete what is the same thing by its key.

mod aliases;
mod freed;
mod halves;
mod pulled;
mod renamed;
mod same_thing;
mod spelling;
mod swapped;
mod under_deleted;

use anyhow::Result;
use sync_tests::{NOON, Scene, SceneDevice, TestDb};

/// What keys are made in: a profile, a settings profile, two lists and two addons.
pub(crate) const BASE: &str = "
    INSERT INTO addons (manifest_url, name) VALUES ('https://x.test', 'X'), ('https://y.test', 'Y');
    INSERT INTO settings_profiles (id, user_id, name) VALUES (1, 'u1', 'Home');
    INSERT INTO profiles (id, user_id, name, avatar) VALUES (1, 'u1', 'Anna', 'a');
    INSERT INTO lists (id, profile_id, name) VALUES (1, 1, 'X'), (2, 1, 'Y');
    INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'in-x', 'movie'), (2, 'in-y', 'movie')";

const HALF_HOUR: i64 = 1_800_000;

/// At noon, with the base on every device since half an hour.
pub(crate) async fn base(db: TestDb) -> Result<(Scene, [SceneDevice; 3])> {
    let scene = Scene::at_noon(db).await?;
    let devices = scene.trio().await?;
    let [a, b, c] = &devices;
    a.at(-HALF_HOUR, BASE).await?;
    for device in [b, c] {
        sync_core::schema::pin_clock(device.device.device.db(), Some(NOON - HALF_HOUR)).await?;
        // Addons of the same kind with other ids, as every database has them.
        device.sql("INSERT INTO addons (manifest_url, name) VALUES ('https://y.test', 'Y'), ('https://x.test', 'X')").await?;
    }
    scene.settled(&[a, b, c]).await?;
    Ok((scene, devices))
}

/// The live lists with their live titles, on any device.
pub(crate) const LISTS: &str = "SELECT l.name || ': ' || coalesce(group_concat(i.meta_id, ', '), '') FROM
    (SELECT * FROM lists WHERE deleted_at IS NULL) l
    LEFT JOIN (SELECT * FROM list_items WHERE deleted_at IS NULL ORDER BY meta_id) i ON i.list_id = l.id
    GROUP BY l.id ORDER BY l.name";

/// Checks that all are in step, and what lists they have.
pub(crate) async fn lists_are(
    scene: &Scene,
    devices: &[&SceneDevice],
    expected: &[&str],
) -> Result<()> {
    scene.settled(devices).await?;
    for device in devices {
        assert_eq!(
            device.rows(LISTS).await?,
            expected,
            "device {}",
            device.number
        );
    }
    Ok(())
}
