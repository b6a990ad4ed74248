//! Keys of which a half is NULL: UNIQUE does not bind them, the engine does by the half that is set.

use anyhow::Result;
use sync_tests::{ORDERS, TestDb, on_both_backends, scene_time::sync_in};

use super::base;

on_both_backends!(
    uk07_uses_and_settings_of_a_settings_profile_are_one_each,
    uk07_old_and_new_rows_stay_apart,
    uk07_rows_that_belong_to_nothing_stop_nobody,
);

const USE: &str = "INSERT INTO profile_addons (settings_profile_id, addon_id, priority) SELECT 1, id, {n} FROM addons WHERE manifest_url = 'https://x.test';
    INSERT INTO stream_settings (settings_profile_id, config) VALUES (1, '{n}')";
const OLD: &str = "INSERT INTO profile_addons (profile_id, addon_id, priority) SELECT 1, id, {n} FROM addons WHERE manifest_url = 'https://x.test';
    INSERT INTO stream_settings (profile_id, config) VALUES (1, '{n}')";

async fn uk07_uses_and_settings_of_a_settings_profile_are_one_each(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        for (device, n) in [(&a, 1), (&b, 2), (&c, 3)] {
            device
                .at(n * 1_000 - 9_000, &USE.replace("{n}", &n.to_string()))
                .await?;
        }
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        for device in [&a, &b, &c] {
            assert_eq!(
                device.rows("SELECT priority FROM profile_addons").await?,
                ["3"],
                "{order:?}"
            );
            assert_eq!(
                device.rows("SELECT config FROM stream_settings").await?,
                ["3"]
            );
        }
    }
    Ok(())
}

/// One of the profile, one of the settings profile: two things, on whichever device they were made.
async fn uk07_old_and_new_rows_stay_apart(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    a.at(-3_000, &OLD.replace("{n}", "1")).await?;
    b.at(-2_000, &USE.replace("{n}", "2")).await?;
    c.at(-1_000, &OLD.replace("{n}", "3")).await?;
    scene.settled(&[&a, &b, &c]).await?;
    for device in [&a, &b, &c] {
        let uses = device.rows("SELECT coalesce(profile_id, 0), coalesce(settings_profile_id, 0), priority FROM profile_addons ORDER BY 1").await?;
        assert_eq!(uses, ["0|1|2", "1|0|3"]);
        assert_eq!(
            device
                .rows("SELECT config FROM stream_settings ORDER BY 1")
                .await?,
            ["2", "3"]
        );
    }
    Ok(())
}

/// Both halves NULL: such a row is nobody's, and stays where it is.
async fn uk07_rows_that_belong_to_nothing_stop_nobody(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    a.at(
        -3_000,
        "INSERT INTO profile_addons (addon_id) SELECT id FROM addons;
        INSERT INTO stream_settings (config) VALUES ('nobody''s'), ('nobody''s');
        INSERT INTO lists (profile_id, name) VALUES (1, 'Z')",
    )
    .await?;
    let report = a.sync().await?;
    assert_eq!(report.n_pushed, 1);
    b.sync().await?;
    assert_eq!(b.one("SELECT count(*) FROM lists").await?, "3");
    assert_eq!(
        scene.one("SELECT count(*) FROM stream_settings").await?,
        "0"
    );
    assert_eq!(
        a.one("SELECT count(*) FROM stream_settings").await?,
        "2",
        "they stay here"
    );
    scene.settled(&[&b, &c]).await
}
