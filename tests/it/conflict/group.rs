//! Columns that belong together merge together: never one device's position in another one's film.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends, scene_time::sync_in};

use super::family;

on_both_backends!(
    cf11_a_group_is_taken_whole,
    cf15_the_earliest_creation_stays,
);

async fn cf11_a_group_is_taken_whole(db: TestDb) -> Result<()> {
    for order in [[0, 1, 0], [1, 0, 1]] {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        // A edits other columns of the group than B, and later.
        b.at(
            -2_000,
            "UPDATE watch_history SET position = 900, last_stream = '{\"of\":\"B\"}', title = 'B'",
        )
        .await?;
        a.at(
            -1_000,
            "UPDATE watch_history SET duration = 3600, is_watched = 1",
        )
        .await?;
        sync_in(&order, &[&a, &b]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        let all = "SELECT duration, position, is_watched, last_stream, title FROM watch_history";
        for device in [&a, &b, &c] {
            assert_eq!(device.one(all).await?, "3600|NULL|1|NULL|B", "{order:?}");
        }
    }
    Ok(())
}

/// CF15: whichever device says it, and also where one of them says nothing.
async fn cf15_the_earliest_creation_stays(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    let created = "SELECT CAST(julianday(created_at) * 86400 AS INTEGER) = CAST(julianday('2026-03-01') * 86400 AS INTEGER)";
    for (number, table) in (0_i64..).zip([
        "settings_profiles",
        "profiles",
        "profile_addons",
        "lists",
        "list_items",
    ]) {
        let set = |value: &str| format!("UPDATE {table} SET created_at = {value}");
        let at = number * 10_000 - 100_000;
        a.at(at, &set("'2026-03-01 00:00:00'")).await?;
        b.at(at + 1_000, &set("'2026-03-02T00:00:00Z'")).await?;
        b.sync().await?;
        a.sync().await?;
        scene.settled(&[&a, &b, &c]).await?;
        c.at(at + 2_000, &set("NULL")).await?;
        scene.settled(&[&c, &a, &b]).await?;
        for device in [&a, &b, &c] {
            assert_eq!(
                device.one(&format!("{created} FROM {table}")).await?,
                "1",
                "{table}"
            );
        }
    }
    Ok(())
}
