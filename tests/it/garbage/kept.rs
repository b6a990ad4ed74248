//! What stays: aliases of what is there, rows that others refer to, accounts that nothing is wrong with.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_tests::{Scene, TestDb, on_both_backends};

use super::{LISTS, TOMBSTONES, delete, forget_all, lists};

on_both_backends!(
    gc05_an_alias_lives_as_long_as_its_row_and_its_tombstone,
    gc_a_deleted_row_stays_while_another_refers_to_it,
    gc_rows_whose_parent_was_forgotten_are_not_left_alone,
    gc_a_row_undeleted_in_the_servers_database_is_not_forgotten,
    gc_an_account_that_fails_keeps_no_other_one_waiting,
);

async fn gc05_an_alias_lives_as_long_as_its_row_and_its_tombstone(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept"]).await?;
    scene.settled(&[&a, &b]).await?;
    // Both make the same list: the later name becomes another name of the first.
    for device in [&a, &b] {
        device.add_list(1, "Twins").await?;
    }
    scene.settled(&[&a, &b]).await?;
    let aliases = "SELECT alias FROM sync_alias";
    assert_eq!(scene.rows(aliases).await?.len(), 1);

    forget_all(&scene).await?;
    assert_eq!(scene.rows(aliases).await?.len(), 1, "its row lives");
    delete(&a, "Twins").await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(scene.rows(aliases).await?.len(), 1, "its tombstone lives");
    forget_all(&scene).await?;
    assert_eq!(scene.rows(aliases).await?, [""; 0]);
    assert_eq!(scene.rows(TOMBSTONES).await?, [""; 0]);
    scene.settled(&[&a, &b]).await
}

/// Another program has hung a row on a deleted one, and the server has not heard of it yet.
async fn gc_a_deleted_row_stays_while_another_refers_to_it(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "To go").await?;
    scene.settled(&[&a, &b]).await?;
    let insert = "INSERT INTO list_items (list_id, meta_id, type, deleted_at)
                  SELECT id, 'tt7', 'movie', deleted_at FROM lists WHERE name = 'To go'";
    scene.server.db.execute_unprepared(insert).await?;

    forget_all(&scene).await?;
    let rows = "SELECT name FROM lists WHERE name = 'To go'";
    assert_eq!(scene.rows(rows).await?, ["To go"]);

    // Once it stands in the feed, both are forgotten.
    scene.settled(&[&a, &b]).await?;
    forget_all(&scene).await?;
    forget_all(&scene).await?;
    assert_eq!(scene.rows(TOMBSTONES).await?, [""; 0]);
    scene.settled(&[&a, &b]).await?;
    assert_eq!(a.rows(LISTS).await?, ["Kept"]);
    Ok(())
}

/// A child that comes when nothing of its parent is known any more, from a device that has deleted both.
async fn gc_rows_whose_parent_was_forgotten_are_not_left_alone(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "To go").await?;
    scene.settled(&[&a, &b]).await?;
    forget_all(&scene).await?;

    // The child comes back on the device, its parent does not.
    b.sql("UPDATE list_items SET deleted_at = NULL WHERE list_id = (SELECT id FROM lists WHERE name = 'To go')")
        .await?;
    b.sync().await?;
    let items = "SELECT meta_id FROM list_items WHERE deleted_at IS NULL";
    assert_eq!(
        scene.rows(items).await?.len(),
        1,
        "only that of the list that is there"
    );
    // Undeleted, the parent takes it along.
    b.sql("UPDATE lists SET deleted_at = NULL WHERE name = 'To go'")
        .await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(a.rows(LISTS).await?, ["Kept", "To go"]);
    assert_eq!(scene.rows(items).await?.len(), 2);
    Ok(())
}

async fn gc_a_row_undeleted_in_the_servers_database_is_not_forgotten(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "To go").await?;
    scene.settled(&[&a, &b]).await?;
    let undelete = "UPDATE lists SET deleted_at = NULL WHERE name = 'To go'";
    scene.server.db.execute_unprepared(undelete).await?;

    forget_all(&scene).await?;

    scene.settled(&[&a, &b]).await?;
    assert_eq!(a.rows(LISTS).await?, ["Kept", "To go"]);
    Ok(())
}

async fn gc_an_account_that_fails_keeps_no_other_one_waiting(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    lists(&a, &["To go"]).await?;
    a.sync().await?;
    delete(&a, "To go").await?;
    a.sync().await?;
    // An account before it whose feed cannot be read.
    scene
        .server
        .db
        .execute_unprepared(
            "INSERT INTO sync_account (id, user_id, head, horizon, mark) VALUES (-1, 'broken', 1, 0, 0);
             INSERT INTO sync_feed (account, tbl, remote_id, seq, row_id, clocks, deleted_at)
             VALUES (-1, 'lists', 'x', 1, 1, 'no clocks', 1)",
        )
        .await?;

    let garbage = forget_all(&scene).await?;

    assert_eq!((garbage.n_failed, garbage.n_tombstones), (1, 2));
    Ok(())
}
