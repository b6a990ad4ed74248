//! One statement that writes rows of two accounts: each gets its own, whoever asks first.

use anyhow::Result;
use sync_tests::{
    NOON, Scene, SceneDevice, TestDb, on_both_backends, scene::USER, snapshot::live_rows,
};

use crate::conflict::FAMILY;

on_both_backends!(one_statement_for_two_accounts,);

const OTHER: &str = "u2";

async fn two(db: TestDb) -> Result<(Scene, SceneDevice, SceneDevice)> {
    let scene = Scene::at_noon(db).await?;
    scene.server.add_user(OTHER).await?;
    let (a, b) = (scene.device().await?, scene.device_of(OTHER).await?);
    for (device, user) in [(&a, USER), (&b, OTHER)] {
        device
            .at(-600_000, &FAMILY.replace("'u1'", &format!("'{user}'")))
            .await?;
        device.sync().await?;
        device.sync().await?;
    }
    Ok((scene, a, b))
}

async fn in_step(scene: &Scene, devices: [(&SceneDevice, &str); 2]) -> Result<()> {
    for (device, user) in devices {
        device.sync().await?;
        device.check().await?;
        assert_eq!(
            live_rows(device.device.device.db(), user).await?,
            live_rows(&scene.server.db, user).await?,
            "{user}"
        );
    }
    Ok(())
}

async fn one_statement_for_two_accounts(db: TestDb) -> Result<()> {
    for a_first in [true, false] {
        let (scene, a, b) = two(TestDb::new(db.backend()).await?).await?;
        let order = if a_first {
            [(&a, USER), (&b, OTHER)]
        } else {
            [(&b, OTHER), (&a, USER)]
        };
        for (step, sql) in (0_i64..).zip([
            "UPDATE lists SET name = 'Edited'",
            "INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'new', 'movie' FROM lists",
            "UPDATE profiles SET deleted_at = '2027-01-15 11:59:59+00:00'",
            "UPDATE profiles SET deleted_at = NULL",
            "DELETE FROM list_items WHERE meta_id = 'tt1'",
            "DELETE FROM settings_profiles",
        ]) {
            scene
                .sql(&format!(
                    "UPDATE sync_clock SET pinned_ms = {}",
                    NOON - 60_000 + step * 1_000
                ))
                .await?;
            scene.sql(sql).await?;
            // While the one asks, the other's part waits untouched.
            in_step(&scene, order).await?;
        }
        for user in [USER, OTHER] {
            let rows = live_rows(&scene.server.db, user).await?;
            assert_eq!(rows.len(), 4, "{rows:#?}");
        }
        assert_eq!(scene.one("SELECT count(*) FROM sync_pending").await?, "0");
        assert_eq!(scene.one("SELECT count(*) FROM sync_deleted").await?, "0");
    }
    Ok(())
}
