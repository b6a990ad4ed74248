//! References to tables that are not synced travel as what names the row.

use anyhow::Result;
use sync_tests::{Scene, SceneDevice, TestDb, on_both_backends};

const ADDONS: &str =
    "SELECT a.manifest_url, p.enabled FROM profile_addons p JOIN addons a ON a.id = p.addon_id
    WHERE p.deleted_at IS NULL ORDER BY 1";

async fn fk08_an_addon_keeps_its_own_id_on_every_device(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    b.sql("INSERT INTO addons (id, manifest_url, name) VALUES (77, 'https://two.test/m.json', 'Two, as B has it')").await?;
    use_addon(&a, 41, "https://one.test/m.json").await?;
    use_addon(&a, 42, "https://two.test/m.json").await?;
    scene.settled(&[&a, &b]).await?;

    assert_eq!(
        b.rows(ADDONS).await?,
        ["https://one.test/m.json|1", "https://two.test/m.json|1"]
    );
    assert_eq!(
        b.one("SELECT addon_id FROM profile_addons WHERE addon_id = 77")
            .await?,
        "77"
    );
    let kept = b.one("SELECT name FROM addons WHERE id = 77").await?;
    assert_eq!(
        kept, "Two, as B has it",
        "a catalogue is not changed by a reference to it"
    );
    b.sql("UPDATE profile_addons SET enabled = 0 WHERE addon_id = 77")
        .await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.rows(ADDONS).await?,
        ["https://one.test/m.json|1", "https://two.test/m.json|0"]
    );
    Ok(())
}

/// The one that every database has, whatever its id.
async fn fk08_the_built_in_addon_is_the_same_everywhere(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    b.sql("UPDATE addons SET id = 500 WHERE manifest_url = 'zentrio://tmdb-addon'")
        .await?;
    let settings = a
        .add("INSERT INTO settings_profiles (user_id, name) VALUES ('u1', 'Common')")
        .await?;
    a.sql(&format!(
        "INSERT INTO profile_addons (settings_profile_id, addon_id)
         SELECT {settings}, id FROM addons WHERE manifest_url = 'zentrio://tmdb-addon'"
    ))
    .await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.one("SELECT addon_id FROM profile_addons").await?, "500");
    assert_eq!(
        b.one("SELECT count(*) FROM addons WHERE manifest_url = 'zentrio://tmdb-addon'")
            .await?,
        "1"
    );
    assert_eq!(scene.one("SELECT count(*) FROM addons").await?, "1");
    Ok(())
}

async fn fk09_a_missing_addon_is_created_once(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.sql(
        "INSERT INTO addons (id, manifest_url, name, version, behavior_hints)
         VALUES (9, 'https://one.test/m.json', 'One', '1.2', '{\"adult\":false}')",
    )
    .await?;
    for name in ["Kids", "Parents"] {
        let profile = a.add_profile(name).await?;
        a.sql(&format!(
            "INSERT INTO profile_addons (profile_id, addon_id) VALUES ({profile}, 9)"
        ))
        .await?;
    }
    scene.settled(&[&a, &b]).await?;
    let one = "SELECT name, version, behavior_hints FROM addons WHERE manifest_url = 'https://one.test/m.json'";
    assert_eq!(b.one(one).await?, r#"One|1.2|{"adult":false}"#);
    assert_eq!(
        scene
            .one("SELECT count(*) FROM addons WHERE manifest_url = 'https://one.test/m.json'")
            .await?,
        "1"
    );
    Ok(())
}

/// The row is pointed at another addon.
async fn fk09_a_changed_reference_travels(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    use_addon(&a, 41, "https://one.test/m.json").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("INSERT INTO addons (id, manifest_url, name) VALUES (43, 'https://three.test/m.json', 'Three')").await?;
    a.sql("UPDATE profile_addons SET addon_id = 43").await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.rows(ADDONS).await?, ["https://three.test/m.json|1"]);
    Ok(())
}

/// Another program takes the addon out of the catalogue, and what refers to it goes with it.
async fn fk09_an_addon_that_goes_takes_its_references_along(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    use_addon(&a, 41, "https://one.test/m.json").await?;
    use_addon(&a, 42, "https://two.test/m.json").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("DELETE FROM addons WHERE id = 41").await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.rows(ADDONS).await?, ["https://two.test/m.json|1"]);
    Ok(())
}

/// Both make the same use of the same addon, each under its own ids.
async fn fk09_the_same_use_made_twice_is_one(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    for (device, id) in [(&a, 41), (&b, 99)] {
        device
            .sql(&format!("INSERT INTO addons (id, manifest_url, name) VALUES ({id}, 'https://one.test/m.json', 'One')"))
            .await?;
        device
            .sql(&format!(
                "INSERT INTO profile_addons (profile_id, addon_id) VALUES (1, {id})"
            ))
            .await?;
    }
    scene.settled(&[&a, &b]).await?;
    assert_eq!(a.rows(ADDONS).await?, ["https://one.test/m.json|1"]);
    assert_eq!(scene.one("SELECT count(*) FROM profile_addons").await?, "1");
    Ok(())
}

/// Adds an addon under an id of the device's own, and has the only profile use it.
async fn use_addon(device: &SceneDevice, id: i64, url: &str) -> Result<()> {
    if device.rows("SELECT id FROM profiles").await?.is_empty() {
        device.add_profile("Kids").await?;
    }
    device
        .sql(&format!(
            "INSERT INTO addons (id, manifest_url, name) VALUES ({id}, '{url}', 'An addon')"
        ))
        .await?;
    device
        .sql(&format!(
            "INSERT INTO profile_addons (profile_id, addon_id, enabled) VALUES (1, {id}, 1)"
        ))
        .await
}

on_both_backends!(
    fk08_an_addon_keeps_its_own_id_on_every_device,
    fk08_the_built_in_addon_is_the_same_everywhere,
    fk09_a_missing_addon_is_created_once,
    fk09_a_changed_reference_travels,
    fk09_an_addon_that_goes_takes_its_references_along,
    fk09_the_same_use_made_twice_is_one,
);
