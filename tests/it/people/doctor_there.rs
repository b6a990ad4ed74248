//! Damage at the server, by writes that no trigger saw: what a device still has is not lost.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::{
    damage::{self, doctor, told},
    doctor::world,
};

async fn rows_that_differ_are_named_and_mended(db: TestDb) -> Result<()> {
    for (sql, expected) in [
        (
            "UPDATE lists SET name = 'damaged' WHERE name = 'One'",
            "differs lists 1 name",
        ),
        (
            "UPDATE list_items SET title = 'damaged' WHERE list_id = (SELECT id FROM lists WHERE name = 'Two')",
            "differs list_items 2 title",
        ),
        (
            "DELETE FROM list_items WHERE list_id = (SELECT id FROM lists WHERE name = 'Two')",
            "missing_there list_items 2",
        ),
        (
            "DELETE FROM lists WHERE name = 'One'",
            "missing_there lists 1;missing_there list_items 1",
        ),
    ] {
        let (scene, a, b) = world(TestDb::new(db.backend()).await?).await?;
        damage::there(&scene, sql).await?;
        let head = scene.head().await?;
        let before = a.everything().await?;
        let mut lines = told(&doctor(&a, false).await?);
        lines.sort_by_key(|line| line.contains("items"));
        assert_eq!(lines.join(";"), expected, "{sql}");
        assert_eq!(
            (scene.head().await?, a.everything().await?),
            (head, before),
            "{sql}: --check writes nothing"
        );
        let diagnosis = doctor(&a, true).await?;
        assert_eq!(told(&diagnosis).len(), lines.len(), "{sql}");
        assert!(diagnosis.is_sound(), "{sql}: {diagnosis:?}");
        assert!(doctor(&b, true).await?.is_sound(), "{sql}");
        scene.settled(&[&a, &b]).await?;
        assert_eq!(
            b.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
                .await?
                .len(),
            2,
            "{sql}"
        );
    }
    Ok(())
}

/// The device that pushes next, not the doctor's, finds that the server lost a row: it sends it whole.
async fn a_row_that_the_server_lost_comes_back_with_the_next_edit(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    damage::there(
        &scene,
        "DELETE FROM list_items WHERE list_id = (SELECT id FROM lists WHERE name = 'Two')",
    )
    .await?;
    a.sql("UPDATE list_items SET title = 'Edited' WHERE id = 2")
        .await?;
    a.sync().await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT title FROM list_items WHERE title IS NOT NULL")
            .await?,
        ["Edited"]
    );
    Ok(())
}

/// But what somebody deleted there stays deleted.
async fn a_row_that_was_deleted_at_the_server_does_not_come_back(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    let delete = "DELETE FROM list_items WHERE list_id = (SELECT id FROM lists WHERE name = 'Two')";
    sea_orm::ConnectionTrait::execute_unprepared(&scene.server.db, delete).await?;
    a.sql("UPDATE list_items SET title = 'Edited' WHERE id = 2")
        .await?;
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(told(&diagnosis), [""; 0]);
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?
            .len(),
        1
    );
    Ok(())
}

/// Whichever way it ends: both ends are the same afterwards.
async fn a_row_deleted_past_the_triggers_is_settled(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    damage::there(
        &scene,
        "UPDATE list_items SET deleted_at = '2020-01-01 00:00:00+00:00'",
    )
    .await?;
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(
        told(&diagnosis),
        ["missing_there list_items 1", "missing_there list_items 2"]
    );
    assert!(diagnosis.is_sound(), "{diagnosis:?}");
    assert!(doctor(&b, true).await?.is_sound());
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?
            .len(),
        2
    );
    Ok(())
}

async fn rows_that_no_device_could_see_come_into_the_feed(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    damage::there(
        &scene,
        "INSERT INTO lists (profile_id, name) SELECT id, 'Unseen' FROM profiles",
    )
    .await?;
    let checked = doctor(&a, false).await?;
    assert_eq!(told(&checked), ["unseen_there lists -"]);
    assert_eq!(
        a.rows("SELECT id FROM lists WHERE name = 'Unseen'")
            .await?
            .len(),
        0
    );
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(told(&diagnosis), ["unseen_there lists -"]);
    assert!(diagnosis.is_sound(), "{diagnosis:?}");
    assert_eq!(
        a.rows("SELECT id FROM lists WHERE name = 'Unseen'")
            .await?
            .len(),
        1
    );
    scene.settled(&[&a, &b]).await
}

on_both_backends!(
    rows_that_differ_are_named_and_mended,
    a_row_that_the_server_lost_comes_back_with_the_next_edit,
    a_row_that_was_deleted_at_the_server_does_not_come_back,
    a_row_deleted_past_the_triggers_is_settled,
    rows_that_no_device_could_see_come_into_the_feed,
);
