//! Rows on the server that another program stored so that they cannot be read. Only SQLite lets it.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_tests::{Backend, Scene, SceneDevice, TestDb};

#[tokio::test]
async fn rt18_a_row_that_cannot_be_read_keeps_no_page() -> Result<()> {
    for (column, bad, good) in [
        ("is_default", "'perhaps'", "1"),
        ("created_at", "'yesterday'", "'2026-01-01 00:00:00'"),
        ("deleted_at", "'gone'", "NULL"),
    ] {
        let (scene, a, b) = world().await?;
        edit(
            &scene,
            &format!("UPDATE lists SET {column} = {bad} WHERE name = 'Two'"),
        )
        .await?;
        edit(
            &scene,
            "UPDATE lists SET name = 'Edited there' WHERE name = 'Three'",
        )
        .await?;
        a.add_list(1, "New").await?;
        a.sync().await?;
        for device in [&a, &b] {
            device.sync().await?;
            let names = device.rows("SELECT name FROM lists WHERE name <> 'Two' ORDER BY name");
            assert_eq!(names.await?, ["Edited there", "New", "One"], "{column}");
        }
        edit(
            &scene,
            &format!("UPDATE lists SET {column} = {good} WHERE name = 'Two'"),
        )
        .await?;
        scene.settled(&[&a, &b]).await?;
        assert_eq!(b.rows("SELECT id FROM lists").await?.len(), 4, "{column}");
    }
    Ok(())
}

/// Neither does it keep out what is pushed beside an edit of it, or under it.
#[tokio::test]
async fn rt18_a_row_that_cannot_be_read_keeps_no_push() -> Result<()> {
    let (scene, a, b) = world().await?;
    b.sync().await?;
    edit(
        &scene,
        "UPDATE lists SET is_default = 'perhaps' WHERE name = 'Two'",
    )
    .await?;
    b.sql("UPDATE lists SET name = name || ' from B'").await?;
    b.add_item(2, "tt2").await?;
    b.sync().await?;
    assert_eq!(b.rejected().await?, ["lists 2 unreadable"]);
    assert_eq!(
        scene.rows("SELECT name FROM lists ORDER BY id").await?,
        ["One from B", "Two", "Three from B"]
    );
    edit(&scene, "UPDATE lists SET is_default = 0 WHERE name = 'Two'").await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        scene.one("SELECT name FROM lists WHERE id = 2").await?,
        "Two from B"
    );
    Ok(())
}

/// A new row with its key finds the key taken; a parent's deletion passes it by.
#[tokio::test]
async fn rt18_nor_what_has_its_key_or_deletes_its_parent() -> Result<()> {
    let (scene, a, b) = world().await?;
    edit(
        &scene,
        "UPDATE lists SET is_default = 'perhaps' WHERE name = 'Two'",
    )
    .await?;
    let c = scene.device().await?;
    c.sync().await?;
    c.add_list(1, "Two").await?;
    c.add_list(1, "Four").await?;
    c.sync().await?;
    assert_eq!(c.rejected().await?, ["lists 3 constraint"]);
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "4");
    c.sql("UPDATE lists SET name = 'Five' WHERE name = 'Two'")
        .await?;
    a.sql("UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    a.sync().await?;
    edit(&scene, "UPDATE lists SET is_default = 0 WHERE name = 'Two'").await?;
    scene.settled(&[&a, &b, &c]).await
}

async fn world() -> Result<(Scene, SceneDevice, SceneDevice)> {
    let scene = Scene::new(TestDb::new(Backend::Sqlite).await?).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    for name in ["One", "Two", "Three"] {
        a.add_list(profile, name).await?;
    }
    a.sync().await?;
    Ok((scene, a, b))
}

async fn edit(scene: &Scene, sql: &str) -> Result<()> {
    scene.server.db.execute_unprepared(sql).await?;
    Ok(())
}
