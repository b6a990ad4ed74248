//! A flag that one row of its scope has: the default profile, the default settings profile, the default
//! list of a profile. After any merge at most one has it, and one has it where somebody chose one last.

mod app_habit;
mod came_back;
mod chosen_twice;
mod in_the_server;

use anyhow::Result;
use sync_tests::{NOON, Scene, SceneDevice, TestDb};

const BASE: &str = "
    INSERT INTO settings_profiles (id, user_id, name, is_default) VALUES (1, 'u1', 'One', 1), (2, 'u1', 'Two', 0), (3, 'u1', 'Three', NULL);
    INSERT INTO profiles (id, user_id, name, avatar, is_default) VALUES (1, 'u1', 'One', '', 1), (2, 'u1', 'Two', '', 0), (3, 'u1', 'Three', '', NULL);
    INSERT INTO lists (id, profile_id, name, is_default) VALUES (1, 1, 'One', 1), (2, 1, 'Two', 0), (3, 1, 'Three', NULL), (4, 2, 'Other', 1)";

const HALF_HOUR: i64 = 1_800_000;

/// At noon, with three of each on every device, of which One is the default.
pub(crate) async fn three_of_each(db: TestDb) -> Result<(Scene, [SceneDevice; 3])> {
    let scene = Scene::at_noon(db).await?;
    let devices = scene.trio().await?;
    let [a, b, c] = &devices;
    a.at(-HALF_HOUR, BASE).await?;
    for device in [b, c] {
        sync_core::schema::pin_clock(device.device.device.db(), Some(NOON - HALF_HOUR)).await?;
    }
    scene.settled(&[a, b, c]).await?;
    Ok((scene, devices))
}

/// The tables with such a flag.
pub(crate) const FLAGGED: [&str; 3] = ["settings_profiles", "profiles", "lists"];

/// What the app does: two statements, of which the first does not set `dirty`.
pub(crate) fn choose(table: &str, name: &str) -> String {
    let scope = if table == "lists" {
        " AND profile_id = 1"
    } else {
        ""
    };
    format!(
        "UPDATE {table} SET is_default = 0 WHERE is_default = 1{scope};
         UPDATE {table} SET is_default = 1, dirty = 1 WHERE name = '{name}'{scope}"
    )
}

/// The live rows that have the flag, on the server and on every device, which must agree; but for the list
/// of the other profile, which keeps its own.
pub(crate) async fn defaults(
    scene: &Scene,
    devices: &[&SceneDevice],
    table: &str,
) -> Result<Vec<String>> {
    scene.settled(devices).await?;
    let sql = format!(
        "SELECT name FROM {table} WHERE deleted_at IS NULL AND CASE WHEN is_default THEN 1 ELSE 0 END = 1 AND name <> 'Other' ORDER BY 1"
    );
    let there = scene.rows(&sql).await?;
    for device in devices {
        assert_eq!(device.rows(&sql).await?, there, "device {}", device.number);
    }
    let others = "SELECT CASE WHEN is_default THEN 1 ELSE 0 END FROM lists WHERE name = 'Other' AND deleted_at IS NULL";
    assert!(
        scene.rows(others).await?.iter().all(|flag| flag == "1"),
        "another scope lost its own"
    );
    Ok(there)
}
