//! A device that comes late gets all there is, and nothing of what is gone.

use anyhow::{Result, ensure};
use sync_tests::{HttpServer, TestDb, TestDevice, account::Origin, on_both_backends};

use super::{all_agree, pair, travels};

on_both_backends!(
    a_third_device_gets_everything,
    edits_of_different_fields_are_both_kept
);

const FIRST: &str = "
    INSERT INTO addons (manifest_url, name) VALUES ('https://x.test', 'X');
    INSERT INTO settings_profiles (user_id, name, is_default) SELECT local_user_id, 'Home', 1 FROM sync_state;
    INSERT INTO profiles (user_id, name, avatar, settings_profile_id, is_default)
      SELECT local_user_id, 'Anna', 'a', s.id, 1 FROM sync_state, settings_profiles s;
    INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, 'Gone', 'g' FROM sync_state;
    INSERT INTO profile_addons (settings_profile_id, addon_id) SELECT s.id, a.id FROM settings_profiles s, addons a;
    INSERT INTO stream_settings (settings_profile_id, config) SELECT id, '{}' FROM settings_profiles;
    INSERT INTO appearance_settings (settings_profile_id) SELECT id FROM settings_profiles;
    INSERT INTO watch_history (profile_id, meta_id, meta_type, position) SELECT id, 'tt1', 'movie', 7 FROM profiles;
    INSERT INTO lists (profile_id, name) SELECT id, 'Mine' FROM profiles;
    INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'tt1', 'movie' FROM lists;
    INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'tt2', 'movie' FROM lists";

async fn a_third_device_gets_everything(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let account = server.account("anna@example.org").await?;
    let (a, b) = (
        account.device(Origin::Adopted).await?,
        account.device_with_other_ids(Origin::Fresh).await?,
    );
    a.sql(FIRST).await?;
    travels(&a, &b).await?;
    b.sql(
        "UPDATE watch_history SET position = 90, is_watched = 1;
           UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE meta_id = 'tt1';
           DELETE FROM profile_addons;
           UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'Gone'",
    )
    .await?;
    travels(&b, &a).await?;
    a.sql(
        "UPDATE list_items SET deleted_at = NULL WHERE meta_id = 'tt1'
             AND list_id IN (SELECT l.id FROM lists l WHERE l.deleted_at IS NULL)",
    )
    .await?;
    a.sync().await?;

    let fresh = account.device(Origin::Fresh).await?;
    fresh.sync().await?;
    let adopted = account.device_with_other_ids(Origin::Adopted).await?;
    adopted.sync().await?;
    b.sync().await?;
    all_agree(&server, &[&a, &b, &fresh, &adopted]).await?;
    for (device, ids) in [(&fresh, "fresh"), (&adopted, "adopted")] {
        let rows = device.rows(LIVE_ITEMS).await?;
        ensure!(
            rows == ["Anna|Mine|tt1", "Anna|Mine|tt2"],
            "the {ids} one has {rows:?}"
        );
        let dead = device
            .one("SELECT count(*) FROM profiles WHERE deleted_at IS NOT NULL")
            .await?;
        ensure!(
            dead == "0",
            "tombstones made {dead} profiles on the {ids} one"
        );
    }
    Ok(())
}

const LIVE_ITEMS: &str = "SELECT p.name, l.name AS list, i.meta_id FROM list_items i
    JOIN lists l ON l.id = i.list_id JOIN profiles p ON p.id = l.profile_id WHERE i.deleted_at IS NULL ORDER BY 3";

/// Each edits what the other wrote; both end with the last word on each field.
async fn edits_of_different_fields_are_both_kept(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (a, b) = pair(&server, Origin::Fresh, Origin::Fresh).await?;
    a.sql(FIRST).await?;
    travels(&a, &b).await?;
    b.sql("UPDATE list_items SET title = 'b', poster = 'b'")
        .await?;
    travels(&b, &a).await?;
    a.sql("UPDATE list_items SET poster = 'a', imdb_rating = 1.5")
        .await?;
    // Both have edited since they last met, not the same fields.
    b.sql("UPDATE list_items SET title = 'bb'").await?;
    let devices: [&TestDevice; 2] = [&a, &b];
    for device in devices.iter().chain(&devices) {
        device.sync().await?;
    }
    all_agree(&server, &[&a, &b]).await?;
    for device in devices {
        let rows = device
            .rows("SELECT DISTINCT title, poster, imdb_rating FROM list_items")
            .await?;
        ensure!(rows == ["bb|a|1.5"], "{rows:?}");
    }
    Ok(())
}
