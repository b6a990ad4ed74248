//! Positions of the feed: none is given out twice, none goes back.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_tests::{Scene, TestDb, on_both_backends};

use super::{LISTS, TOMBSTONES, delete, forget_all, horizon, lists};

on_both_backends!(
    gc04_the_head_stays_where_the_newest_entries_are_forgotten,
    gc04_the_horizon_never_goes_beyond_the_head_nor_back,
    gc07_a_key_is_free_again_when_its_tombstone_is_forgotten,
    gc07_so_it_is_for_a_device_that_still_has_the_deleted_row,
);

async fn gc04_the_head_stays_where_the_newest_entries_are_forgotten(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go"]).await?;
    a.sync().await?;
    delete(&a, "To go").await?;
    scene.settled(&[&a, &b]).await?;
    let (head, cursor) = (scene.head().await?, b.cursor().await?);

    assert_eq!(forget_all(&scene).await?.n_tombstones, 2);

    assert_eq!(scene.rows(TOMBSTONES).await?, [""; 0]);
    assert_eq!(scene.head().await?, head);
    assert_eq!(scene.rows("SELECT name FROM lists").await?, ["Kept"]);
    b.sync().await?;
    assert_eq!(b.cursor().await?, cursor);
    a.sql("UPDATE lists SET name = 'Edited'").await?;
    a.sync().await?;
    assert_eq!(scene.head().await?, head + 1);
    b.sync().await?;
    assert_eq!(b.rows(LISTS).await?, ["Edited"]);
    scene.settled(&[&a, &b]).await
}

async fn gc04_the_horizon_never_goes_beyond_the_head_nor_back(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    lists(&a, &["One", "Two", "Three"]).await?;
    a.sync().await?;
    let mut before = 0;
    for name in ["Two", "One", "Three"] {
        delete(&a, name).await?;
        a.sync().await?;
        for _ in 0..2 {
            forget_all(&scene).await?;
            let (horizon, head) = (horizon(&scene).await?, scene.head().await?);
            assert!(
                before <= horizon && horizon <= head,
                "{before} {horizon} {head}"
            );
            before = horizon;
        }
    }
    assert_eq!(before, scene.head().await?);
    assert_eq!(forget_all(&scene).await?.n_tombstones, 0);
    Ok(())
}

async fn gc07_a_key_is_free_again_when_its_tombstone_is_forgotten(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "Again"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "Again").await?;
    scene.settled(&[&a, &b]).await?;
    forget_all(&scene).await?;

    let list = b.add_list(1, "Again").await?;
    b.add_item(list, "tt1").await?;
    scene.settled(&[&b, &a]).await?;

    for device in [&a, &b] {
        assert_eq!(device.rows(LISTS).await?, ["Again", "Kept"]);
    }
    Ok(())
}

/// The app undeletes the row it deleted: to the server it is a new one.
async fn gc07_so_it_is_for_a_device_that_still_has_the_deleted_row(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "Again"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "Again").await?;
    scene.settled(&[&a, &b]).await?;
    forget_all(&scene).await?;

    for device in [&a, &b] {
        let undelete = "UPDATE lists SET deleted_at = NULL WHERE name = 'Again'";
        device
            .device
            .device
            .db()
            .execute_unprepared(undelete)
            .await?;
    }
    scene.settled(&[&a, &b]).await?;

    for device in [&a, &b] {
        assert_eq!(device.rows(LISTS).await?, ["Again", "Kept"]);
    }
    Ok(())
}
