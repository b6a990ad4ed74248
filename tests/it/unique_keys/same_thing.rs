//! The same thing made on two devices and on three: one row with one name, whoever syncs first.

use anyhow::Result;
use sync_tests::{ORDERS, TestDb, on_both_backends, scene_time::sync_in};

use super::{BASE, base, lists_are};

on_both_backends!(
    uk15_the_same_thing_on_three_devices_is_one,
    uk15_titles_of_three_lists_of_one_name_are_in_one,
    uk02_the_latest_progress_counts,
    uk01_what_has_no_key_stays_apart,
    uk01_a_whole_base_made_three_times,
);

/// A row, a register of it with what each device puts there, and which of them is the latest.
const MADE: [(&str, &str, &str); 7] = [
    (
        "profile_addons",
        "(profile_id, addon_id, priority) SELECT 1, id, {value} FROM addons WHERE manifest_url = 'https://x.test'",
        "priority",
    ),
    (
        "profile_addons",
        "(settings_profile_id, addon_id, priority) SELECT 1, id, {value} FROM addons WHERE manifest_url = 'https://y.test'",
        "priority",
    ),
    (
        "stream_settings",
        "(profile_id, config) SELECT 1, {value}",
        "config",
    ),
    (
        "stream_settings",
        "(settings_profile_id, config) SELECT 1, {value}",
        "config",
    ),
    (
        "watch_history",
        "(profile_id, meta_id, meta_type, season, episode, title) SELECT 1, 'tt1', 'series', 1, 2, {value}",
        "title",
    ),
    (
        "lists",
        "(profile_id, name, is_default) SELECT 1, 'Favorites', {value} > 5",
        "is_default",
    ),
    (
        "list_items",
        "(list_id, meta_id, type, title) SELECT 1, 'tt9', 'movie', {value}",
        "title",
    ),
];

/// UK01 to UK04 and UK15: for each table with a key, in all orders.
async fn uk15_the_same_thing_on_three_devices_is_one(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        let before: i64 = scene.one("SELECT count(*) FROM sync_feed").await?.parse()?;
        // B's is the latest of all.
        for (device, at, value) in [(&a, -3_000, "3"), (&b, -1_000, "9"), (&c, -2_000, "7")] {
            for (table, row, _) in MADE {
                device
                    .at(
                        at,
                        &format!("INSERT INTO {table} {}", row.replace("{value}", value)),
                    )
                    .await?;
            }
            device.at(at, "INSERT INTO appearance_settings (settings_profile_id, show_age_ratings) VALUES (1, 0)").await?;
        }
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        let after: i64 = scene.one("SELECT count(*) FROM sync_feed").await?.parse()?;
        assert_eq!(after - before, 8, "one name each, synced {order:?}");
        assert_eq!(scene.one("SELECT count(*) FROM sync_alias").await?, "16");
        for (table, _, register) in MADE {
            let latest = format!(
                "SELECT CAST({register} AS TEXT) FROM {table} WHERE CAST({register} AS TEXT) IN ('9', '1', 'true')"
            );
            let n = scene.rows(&latest).await?.len();
            let expected = if ["profile_addons", "stream_settings"].contains(&table) {
                2
            } else {
                1
            };
            assert_eq!(n, expected, "{table}.{register} synced {order:?}");
        }
    }
    Ok(())
}

async fn uk15_titles_of_three_lists_of_one_name_are_in_one(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        for (device, title) in [(&a, "tt1"), (&b, "tt2"), (&c, "tt3")] {
            let list = device.add_list(1, "Favorites").await?;
            device.add_item(list, title).await?;
            device.add_item(list, "common").await?;
        }
        sync_in(&order, &[&a, &b, &c]).await?;
        lists_are(
            &scene,
            &[&a, &b, &c],
            &["Favorites: common, tt1, tt2, tt3", "X: in-x", "Y: in-y"],
        )
        .await?;
        assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "3");
        assert_eq!(scene.one("SELECT count(*) FROM list_items").await?, "6");
    }
    Ok(())
}

/// UK02: the group is taken whole from the later, whoever made the row first.
async fn uk02_the_latest_progress_counts(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        for (device, at, progress) in [
            (&a, -2_000, "3600, 100, 1, 'A'"),
            (&b, -1_000, "NULL, 900, 0, NULL"),
            (&c, -3_000, "3600, 3500, 1, 'C'"),
        ] {
            device.at(at, &format!(
                "INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, duration, position, is_watched, last_stream)
                 VALUES (1, 'tt1', 'series', 1, 2, {progress})"
            )).await?;
        }
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        for device in [&a, &b, &c] {
            let row = device
                .one("SELECT duration, position, is_watched, last_stream FROM watch_history")
                .await?;
            assert_eq!(row, "NULL|900|0|NULL", "{order:?}");
        }
    }
    Ok(())
}

async fn uk01_what_has_no_key_stays_apart(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    for device in [&a, &b, &c] {
        device
            .at(
                -1_000,
                "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Guest', 'g');
            INSERT INTO settings_profiles (user_id, name) VALUES ('u1', 'Guest')",
            )
            .await?;
    }
    scene.settled(&[&a, &b, &c]).await?;
    for table in ["profiles", "settings_profiles"] {
        let n = format!("SELECT count(*) FROM {table} WHERE name = 'Guest'");
        assert_eq!(scene.one(&n).await?, "3");
    }
    Ok(())
}

/// Databases that were filled apart, whose roots have no key: nothing is mixed.
async fn uk01_a_whole_base_made_three_times(db: TestDb) -> Result<()> {
    let scene = sync_tests::Scene::at_noon(db).await?;
    let [a, b, c] = scene.trio().await?;
    for device in [&a, &b, &c] {
        device.at(-10_000, BASE).await?;
    }
    scene.settled(&[&a, &b, &c]).await?;
    for (table, n) in [("profiles", "3"), ("lists", "6"), ("list_items", "6")] {
        let sql = format!("SELECT count(*) FROM {table}");
        assert_eq!(scene.one(&sql).await?, n, "{table}");
    }
    Ok(())
}
