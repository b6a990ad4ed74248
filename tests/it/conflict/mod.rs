//! Two devices and more edit the same rows: what stays, in every order in which they may sync.

mod fields;
mod group;
mod log;
mod no_base;
mod opaque;
mod orders;
mod quiet;
mod same_field;
mod settled;

use anyhow::Result;
use sync_tests::{NOON, Scene, SceneDevice, TestDb};

/// One row in each of the eight tables.
pub(crate) const FAMILY: &str = "
    INSERT INTO addons (manifest_url, name) VALUES ('https://x.test', 'X');
    INSERT INTO settings_profiles (user_id, name) VALUES ('u1', 'Home');
    INSERT INTO profiles (user_id, name, avatar, settings_profile_id) SELECT 'u1', 'Anna', 'a', id FROM settings_profiles;
    INSERT INTO profile_addons (settings_profile_id, addon_id) SELECT s.id, a.id FROM settings_profiles s, addons a
      WHERE a.manifest_url = 'https://x.test';
    INSERT INTO stream_settings (settings_profile_id) SELECT id FROM settings_profiles;
    INSERT INTO appearance_settings (settings_profile_id) SELECT id FROM settings_profiles;
    INSERT INTO watch_history (profile_id, meta_id, meta_type) SELECT id, 'tt1', 'movie' FROM profiles;
    INSERT INTO lists (profile_id, name) SELECT id, 'Mine' FROM profiles;
    INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'tt1', 'movie' FROM lists";

/// At noon, with the family on every device since half an hour.
pub(crate) async fn family(db: TestDb) -> Result<(Scene, [SceneDevice; 3])> {
    let scene = Scene::at_noon(db).await?;
    let devices = scene.trio().await?;
    let [a, b, c] = &devices;
    a.at(-HALF_HOUR, FAMILY).await?;
    for device in [b, c] {
        sync_core::schema::pin_clock(device.device.device.db(), Some(NOON - HALF_HOUR)).await?;
    }
    scene.settled(&[a, b, c]).await?;
    Ok((scene, devices))
}

const HALF_HOUR: i64 = 1_800_000;
