//! Three devices in all six orders: one final state.

use anyhow::Result;
use sync_tests::{ORDERS, TestDb, on_both_backends, scene_time::sync_in, snapshot::live_rows};

use super::family;

on_both_backends!(
    cf17_three_edits_of_three_fields,
    cf17_three_edits_of_one_field,
    cf17_an_edit_a_delete_and_an_undelete,
    cf18_an_edit_on_an_old_base,
);

/// What three devices do, each at its time, before any of them syncs again.
async fn in_all_orders(
    db: &TestDb,
    edits: [(i64, &str); 3],
    look: &str,
    expected: &str,
) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        for (device, (at, sql)) in [&a, &b, &c].into_iter().zip(edits) {
            device.at(at, sql).await?;
        }
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(
            scene.one(look).await?,
            expected,
            "{edits:?} synced {order:?}"
        );
    }
    Ok(())
}

async fn cf17_three_edits_of_three_fields(db: TestDb) -> Result<()> {
    let edits = [
        (-3_000, "UPDATE list_items SET title = 'A'"),
        (-1_000, "UPDATE list_items SET poster = 'B'"),
        (-2_000, "UPDATE list_items SET type = 'C'"),
    ];
    in_all_orders(
        &db,
        edits,
        "SELECT title || poster || type FROM list_items",
        "ABC",
    )
    .await
}

async fn cf17_three_edits_of_one_field(db: TestDb) -> Result<()> {
    let edits = [
        (-3_000, "UPDATE lists SET name = 'A'"),
        (-1_000, "UPDATE lists SET name = 'B'"),
        (-2_000, "UPDATE lists SET name = 'C'"),
    ];
    in_all_orders(&db, edits, "SELECT name FROM lists", "B").await
}

/// Two of them delete, one edits: the edit is inside the tombstone.
async fn cf17_an_edit_a_delete_and_an_undelete(db: TestDb) -> Result<()> {
    let edits = [
        (-3_000, "UPDATE list_items SET title = 'A'"),
        (
            -1_000,
            "UPDATE list_items SET deleted_at = '2027-01-15 11:59:59'",
        ),
        (
            -2_000,
            "UPDATE lists SET deleted_at = '2027-01-15 11:59:58'",
        ),
    ];
    let look = "SELECT i.title || CASE WHEN i.deleted_at IS NULL THEN ' lives' ELSE ' is deleted' END FROM list_items i";
    in_all_orders(&db, edits, look, "A is deleted").await
}

/// CF18: A's edit is there, B edits another field without having seen it.
async fn cf18_an_edit_on_an_old_base(db: TestDb) -> Result<()> {
    let (scene, [a, b, _]) = family(db).await?;
    a.at(-2_000, "UPDATE profiles SET name = 'A'").await?;
    a.sync().await?;
    b.at(-1_000, "UPDATE profiles SET avatar = 'B'").await?;
    b.sync().await?;
    a.sync().await?;
    for device in [&a, &b] {
        let here = live_rows(device.device.device.db(), "u1").await?;
        assert_eq!(here, live_rows(&scene.server.db, "u1").await?);
    }
    assert_eq!(
        scene.one("SELECT name || avatar FROM profiles").await?,
        "AB"
    );
    Ok(())
}
