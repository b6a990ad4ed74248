//! A settings profile that goes: what is in it goes too, and profiles that used it use none.

use anyhow::Result;
use sync_tests::{ORDERS, Scene, SceneDevice, TestDb, on_both_backends, scene_time::sync_in};

use crate::conflict::family;

on_both_backends!(
    de10_profiles_that_used_it_use_none,
    de10_in_every_order_with_others_that_use_it,
    de10_it_comes_back_with_its_settings_and_without_its_users,
);

const DELETE: &str = "UPDATE settings_profiles SET deleted_at = '2027-01-15 11:59:58'";

/// What is live at the server: settings of each kind, and what the profile uses.
async fn there(scene: &Scene) -> Result<String> {
    let mut all = Vec::new();
    for table in [
        "settings_profiles",
        "appearance_settings",
        "stream_settings",
        "profile_addons",
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE deleted_at IS NULL");
        all.push(scene.one(&sql).await?);
    }
    let uses = "SELECT CASE WHEN settings_profile_id IS NULL THEN 'none' ELSE 'one' END FROM profiles WHERE deleted_at IS NULL";
    all.push(scene.one(uses).await?);
    Ok(all.join(" "))
}

async fn settle(scene: &Scene, [a, b, c]: [&SceneDevice; 3]) -> Result<String> {
    scene.settled(&[a, b, c]).await?;
    there(scene).await
}

async fn de10_profiles_that_used_it_use_none(db: TestDb) -> Result<()> {
    for delete in [DELETE, "DELETE FROM settings_profiles"] {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        assert_eq!(there(&scene).await?, "1 1 1 1 one");
        a.at(-2_000, delete).await?;
        a.sync().await?;
        assert_eq!(
            there(&scene).await?,
            "0 0 0 0 none",
            "{delete}: by one push"
        );
        assert_eq!(settle(&scene, [&a, &b, &c]).await?, "0 0 0 0 none");
    }
    Ok(())
}

/// B gives it to another profile and edits its settings, C adds to them, neither knows that it goes.
async fn de10_in_every_order_with_others_that_use_it(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        a.at(-2_000, DELETE).await?;
        b.at(-3_000, "UPDATE appearance_settings SET show_age_ratings = 0; UPDATE profiles SET settings_profile_id = NULL").await?;
        b.at(
            -1_000,
            "UPDATE profiles SET settings_profile_id = (SELECT id FROM settings_profiles)",
        )
        .await?;
        c.at(-1_500, "INSERT INTO addons (manifest_url, name) VALUES ('https://y.test', 'Y');
            INSERT INTO profile_addons (settings_profile_id, addon_id) SELECT s.id, a.id FROM settings_profiles s, addons a
              WHERE a.manifest_url = 'https://y.test'").await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        assert_eq!(
            settle(&scene, [&a, &b, &c]).await?,
            "0 0 0 0 none",
            "{order:?}"
        );
    }
    Ok(())
}

async fn de10_it_comes_back_with_its_settings_and_without_its_users(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(-2_000, DELETE).await?;
    scene.settled(&[&a, &b, &c]).await?;
    b.at(-1_000, "UPDATE settings_profiles SET deleted_at = NULL")
        .await?;
    assert_eq!(settle(&scene, [&b, &a, &c]).await?, "1 1 1 1 none");
    Ok(())
}
