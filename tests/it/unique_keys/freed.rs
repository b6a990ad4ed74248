//! A deleted row keeps no key: it is free at once, and taken when the row comes back.

use anyhow::Result;
use sync_tests::{ORDERS, TestDb, on_both_backends, scene_time::sync_in};

use super::{base, lists_are};

on_both_backends!(
    uk08_a_deleted_row_frees_its_key,
    uk08_freed_and_taken_in_one_push_and_in_many,
    uk08_an_undelete_finds_its_key_taken,
    uk08_a_freed_key_that_two_devices_take,
);

const DELETE_X: &str = "UPDATE lists SET deleted_at = '2027-01-15 11:59:51' WHERE name = 'X'";

async fn uk08_a_deleted_row_frees_its_key(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    a.at(-9_000, DELETE_X).await?;
    scene.settled(&[&a, &b, &c]).await?;
    b.at(
        -2_000,
        "INSERT INTO lists (id, profile_id, name) VALUES (77, 1, 'X');
        INSERT INTO list_items (list_id, meta_id, type) VALUES (77, 'in-x', 'movie')",
    )
    .await?;
    lists_are(&scene, &[&b, &a, &c], &["X: in-x", "Y: in-y"]).await?;
    assert_eq!(
        scene
            .one("SELECT count(*) FROM lists WHERE name = 'X'")
            .await?,
        "2",
        "the tombstone stays"
    );
    Ok(())
}

/// X is deleted and Y takes its name: in one push, in a push a row, and in pages of one row.
async fn uk08_freed_and_taken_in_one_push_and_in_many(db: TestDb) -> Result<()> {
    for (push_rows, page_rows) in [(1_000, 1_000), (1, 1_000), (1_000, 1), (1, 1)] {
        let (scene, [mut a, mut b, c]) = base(TestDb::new(db.backend()).await?).await?;
        a.limit_rows(push_rows, page_rows);
        b.limit_rows(push_rows, page_rows);
        a.at(-9_000, DELETE_X).await?;
        a.at(-8_000, "UPDATE lists SET name = 'X' WHERE name = 'Y'")
            .await?;
        a.at(
            -7_000,
            "INSERT INTO lists (profile_id, name) VALUES (1, 'Y')",
        )
        .await?;
        a.sync().await?;
        lists_are(&scene, &[&b, &a, &c], &["X: in-y", "Y: "]).await?;
    }
    Ok(())
}

/// A deletes X and gives Y its name; B, which has deleted X too, brings it back.
async fn uk08_an_undelete_finds_its_key_taken(db: TestDb) -> Result<()> {
    for b_first in [false, true] {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        a.at(-9_000, DELETE_X).await?;
        scene.settled(&[&a, &b, &c]).await?;
        a.at(-3_000, "UPDATE lists SET name = 'X' WHERE name = 'Y'")
            .await?;
        b.at(
            -2_000,
            "UPDATE lists SET deleted_at = NULL WHERE name = 'X'",
        )
        .await?;
        let order = if b_first { [&b, &a] } else { [&a, &b] };
        for device in order {
            device.sync().await?;
        }
        let expected = if b_first {
            ["X: in-x", "X (2): in-y"]
        } else {
            ["X: in-y", "X (2): in-x"]
        };
        lists_are(&scene, &[&a, &b, &c], &expected).await?;
    }
    Ok(())
}

async fn uk08_a_freed_key_that_two_devices_take(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        a.at(-9_000, DELETE_X).await?;
        scene.settled(&[&a, &b, &c]).await?;
        for (device, title) in [(&a, "of A"), (&b, "of B")] {
            let list = device.add_list(1, "X").await?;
            device.add_item(list, title).await?;
            device.add_item(list, "in-x").await?;
        }
        c.at(
            -500,
            "UPDATE lists SET deleted_at = '2027-01-15 11:59:59' WHERE name = 'Y'",
        )
        .await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        lists_are(&scene, &[&a, &b, &c], &["X: in-x, of A, of B"]).await?;
    }
    Ok(())
}
