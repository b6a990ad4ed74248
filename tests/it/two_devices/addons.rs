//! Addons: a catalogue that is not synced, which synced rows refer to.

use anyhow::{Result, ensure};
use sync_tests::{HttpServer, TestDb, TestDevice, account::Origin, on_both_backends};

use super::{all_agree, pair, travels};

on_both_backends!(
    an_addon_with_another_id_on_each_device_is_the_same_addon,
    an_addon_that_is_missing_is_made_where_it_is_missing,
    the_addon_that_is_everywhere_is_not_made_twice,
);

const ADDONS_OF_PROFILE: &str =
    "SELECT a.manifest_url, a.name, a.version, p.priority FROM profile_addons p
    JOIN addons a ON a.id = p.addon_id WHERE p.deleted_at IS NULL ORDER BY p.priority";

async fn profile(device: &TestDevice) -> Result<()> {
    device
        .sql("INSERT INTO settings_profiles (user_id, name) SELECT local_user_id, 'Home' FROM sync_state")
        .await
}

async fn add(device: &TestDevice, url: &str, priority: u32) -> Result<()> {
    let sql = format!(
        "INSERT INTO profile_addons (settings_profile_id, addon_id, priority)
         SELECT s.id, a.id, {priority} FROM settings_profiles s, addons a WHERE a.manifest_url = '{url}'"
    );
    device.sql(&sql).await
}

async fn an_addon_with_another_id_on_each_device_is_the_same_addon(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (a, b) = pair(&server, Origin::Fresh, Origin::Fresh).await?;
    // In the order of one device and in that of the other; both know them by other names too.
    a.sql("INSERT INTO addons (id, manifest_url, name) VALUES (21, 'https://x.test', 'X of A'), (22, 'https://y.test', 'Y of A')")
        .await?;
    b.sql("INSERT INTO addons (id, manifest_url, name) VALUES (21, 'https://y.test', 'Y of B'), (22, 'https://x.test', 'X of B')")
        .await?;
    profile(&a).await?;
    add(&a, "https://x.test", 1).await?;
    travels(&a, &b).await?;
    add(&b, "https://y.test", 2).await?;
    travels(&b, &a).await?;
    all_agree(&server, &[&a, &b]).await?;
    let of_a = a.rows(ADDONS_OF_PROFILE).await?;
    ensure!(
        of_a == [
            "https://x.test|X of A|NULL|1",
            "https://y.test|Y of A|NULL|2"
        ],
        "{of_a:?}"
    );
    let of_b = b.rows(ADDONS_OF_PROFILE).await?;
    ensure!(
        of_b == [
            "https://x.test|X of B|NULL|1",
            "https://y.test|Y of B|NULL|2"
        ],
        "{of_b:?}"
    );

    // An edit that leads a row to another addon does so on both.
    b.sql(
        "DELETE FROM profile_addons WHERE priority = 2;
           UPDATE profile_addons SET addon_id = (SELECT id FROM addons WHERE name = 'Y of B')",
    )
    .await?;
    travels(&b, &a).await?;
    all_agree(&server, &[&a, &b]).await?;
    let of_a = a.rows(ADDONS_OF_PROFILE).await?;
    ensure!(of_a == ["https://y.test|Y of A|NULL|1"], "{of_a:?}");
    Ok(())
}

async fn an_addon_that_is_missing_is_made_where_it_is_missing(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (a, b) = pair(&server, Origin::Adopted, Origin::Fresh).await?;
    a.sql("INSERT INTO addons (manifest_url, name, version, description, logo, logo_url, behavior_hints)
           VALUES ('https://x.test/manifest.json', 'X''s \"addon\"', '1.2', 'Does\nthis', 'l', 'https://l.test', '{\"p2p\":true}')")
        .await?;
    profile(&a).await?;
    add(&a, "https://x.test/manifest.json", 1).await?;
    travels(&a, &b).await?;
    all_agree(&server, &[&a, &b]).await?;
    let known = "SELECT manifest_url, name, version, description, logo, logo_url, behavior_hints FROM addons
                 WHERE manifest_url LIKE 'https:%'";
    let (at_a, at_b) = (a.rows(known).await?, b.rows(known).await?);
    ensure!(at_b.len() == 1, "{at_b:?}");
    ensure!(at_a == at_b, "A has {at_a:?}, B has {at_b:?}");

    // B's own row of it is then found, not made again.
    b.sql("UPDATE profile_addons SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    travels(&b, &a).await?;
    a.sql("UPDATE profile_addons SET deleted_at = NULL, enabled = 0")
        .await?;
    travels(&a, &b).await?;
    all_agree(&server, &[&a, &b]).await?;
    ensure!(b.rows(known).await?.len() == 1, "the addon was made again");
    Ok(())
}

async fn the_addon_that_is_everywhere_is_not_made_twice(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (a, b) = pair(&server, Origin::Fresh, Origin::Fresh).await?;
    // Whatever id it got.
    b.sql("UPDATE addons SET id = 4711 WHERE manifest_url = 'zentrio://tmdb-addon'")
        .await?;
    profile(&a).await?;
    add(&a, "zentrio://tmdb-addon", 1).await?;
    travels(&a, &b).await?;
    all_agree(&server, &[&a, &b]).await?;
    ensure!(
        b.one("SELECT count(*) FROM addons").await? == "1",
        "B has more addons than before"
    );
    ensure!(
        b.one("SELECT addon_id FROM profile_addons").await? == "4711",
        "B's row leads to another addon"
    );
    Ok(())
}
