//! A device that was away for longer than tombstones live pulls everything anew, and loses nothing of its own.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

async fn pl15_what_is_gone_goes_and_what_is_unpushed_stays(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    four_lists(&a).await?;
    scene.settled(&[&a, &b]).await?;

    // B is away, and its user goes on.
    b.add_list(1, "Created").await?;
    b.sql("UPDATE lists SET name = 'Updated' WHERE name = 'To update'")
        .await?;
    b.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'To delete'")
        .await?;
    a.sql("UPDATE lists SET is_default = 1 WHERE name = 'To update'")
        .await?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'To vanish'")
        .await?;
    a.sync().await?;
    forget_tombstones(&scene).await?;
    b.sync().await?;

    let expected = ["Created|NULL", "Kept|NULL", "Updated|1"];
    let lists = "SELECT name, is_default FROM lists WHERE deleted_at IS NULL ORDER BY name";
    assert_eq!(b.rows(lists).await?, expected);
    assert_eq!(
        b.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?
            .len(),
        2,
        "with their items"
    );
    scene.settled(&[&b, &a]).await?;
    assert_eq!(a.rows(lists).await?, expected);
    Ok(())
}

/// The same where the pages of the replacement do not all come at once.
async fn pl16_a_replacement_that_is_interrupted_still_ends_well(db: TestDb) -> Result<()> {
    for lost in [1, 3] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (a, mut b) = scene.pair().await?;
        four_lists(&a).await?;
        scene.settled(&[&a, &b]).await?;
        a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'To vanish'")
            .await?;
        a.sync().await?;
        forget_tombstones(&scene).await?;
        b.limit_rows(1_000, 2);
        for _ in 0..lost {
            b.net.on_pull(Fault::None);
        }
        b.net.on_pull(Fault::LoseAnswer);
        assert!(b.sync().await.is_err());
        assert!(
            b.rows("SELECT id FROM lists WHERE deleted_at IS NULL")
                .await?
                .len()
                >= 4,
            "nothing else goes"
        );
        scene.settled(&[&b, &a]).await?;
    }
    Ok(())
}

/// A device that starts at the beginning has seen no row that could have been deleted behind its back.
async fn pl01_a_fresh_device_pulls_many_pages_where_tombstones_were_forgotten(
    db: TestDb,
) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, mut b) = scene.pair().await?;
    four_lists(&a).await?;
    a.sync().await?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'To vanish'")
        .await?;
    a.sync().await?;
    forget_tombstones(&scene).await?;
    b.limit_rows(1_000, 2);
    scene.settled(&[&b, &a]).await
}

/// Rows of other owners in the same file are none of the account's business.
async fn pl15_rows_that_are_not_the_accounts_stay(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    four_lists(&a).await?;
    scene.settled(&[&a, &b]).await?;
    b.sql(
        "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
         VALUES ('guest', 'guest@example.com', 'Guest', 0, '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
    )
    .await?;
    b.sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('guest', 'Guest', 'x')")
        .await?;
    b.sql("INSERT INTO lists (profile_id, name) SELECT id, 'Mine' FROM profiles WHERE user_id = 'guest'").await?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'To vanish'")
        .await?;
    a.sync().await?;
    forget_tombstones(&scene).await?;
    b.sync().await?;
    assert_eq!(
        b.rows("SELECT name FROM lists WHERE name = 'Mine'").await?,
        ["Mine"]
    );
    assert_eq!(
        scene
            .rows("SELECT name FROM lists WHERE name = 'Mine'")
            .await?,
        Vec::<String>::new()
    );
    Ok(())
}

/// A profile with lists that each have an item.
async fn four_lists(device: &SceneDevice) -> Result<()> {
    let profile = device.add_profile("Kids").await?;
    for name in ["Kept", "To delete", "To update", "To vanish"] {
        let list = device.add_list(profile, name).await?;
        device.add_item(list, "tt1").await?;
    }
    Ok(())
}

/// What the server does with tombstones that are old enough: all of them are.
async fn forget_tombstones(scene: &Scene) -> Result<()> {
    let db = &scene.server.db;
    for table in ["list_items", "lists"] {
        db.execute_unprepared(&format!("DELETE FROM {table} WHERE deleted_at IS NOT NULL"))
            .await?;
    }
    for sql in [
        "DELETE FROM sync_deleted",
        "DELETE FROM sync_feed WHERE deleted_at IS NOT NULL",
        "UPDATE sync_account SET horizon = head",
    ] {
        db.execute_unprepared(sql).await?;
    }
    Ok(())
}

on_both_backends!(pl15_rows_that_are_not_the_accounts_stay,);

on_both_backends!(pl01_a_fresh_device_pulls_many_pages_where_tombstones_were_forgotten);

on_both_backends!(pl15_what_is_gone_goes_and_what_is_unpushed_stays);

on_both_backends!(pl16_a_replacement_that_is_interrupted_still_ends_well);
