//! Deleted and added again, in all the ways a program may do it: one live row, and its key is free.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::{live, newcomer, tree};

on_both_backends!(
    de11_deleted_and_added_again,
    de11_added_again_on_another_device,
    de15_inserted_and_deleted_over_and_over,
    de14_edited_and_deleted_in_one_push,
    de16_an_edit_of_a_tombstone_does_not_bring_it_back,
);

const SOFT: &str = "UPDATE list_items SET deleted_at = '2027-01-15 11:59:57' WHERE meta_id = 'tt1' AND deleted_at IS NULL
    AND list_id = (SELECT id FROM lists WHERE name = 'One')";
const HARD: &str = "DELETE FROM list_items WHERE meta_id = 'tt1' AND list_id = (SELECT id FROM lists WHERE name = 'One')";
const NEW: &str = "INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt1', 'movie', 'again' FROM lists WHERE name = 'One'";
const BACK: &str = "UPDATE list_items SET deleted_at = NULL, title = 'again' WHERE meta_id = 'tt1'
    AND list_id = (SELECT id FROM lists WHERE name = 'One')";

const ONE: &str =
    "SELECT count(*) || coalesce(max(title), '') FROM list_items i JOIN lists l ON l.id = i.list_id
    WHERE i.meta_id = 'tt1' AND l.name = 'One' AND i.deleted_at IS NULL";

async fn de11_deleted_and_added_again(db: TestDb) -> Result<()> {
    for between in [false, true] {
        for (delete, add) in [(SOFT, BACK), (SOFT, NEW), (HARD, NEW)] {
            let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
            a.at(-3_000, delete).await?;
            if between {
                scene.settled(&[&a, &b, &c]).await?;
            }
            a.at(-2_000, add).await?;
            scene.settled(&[&a, &b, &c]).await?;
            for device in [&a, &b, &c] {
                assert_eq!(device.one(ONE).await?, "1again", "{delete} {add} {between}");
            }
            assert_eq!(live(&scene).await?, super::ALL);
            newcomer(&scene).await?;
        }
    }
    Ok(())
}

/// A deletes it; B, which knows or does not know yet, adds it anew.
async fn de11_added_again_on_another_device(db: TestDb) -> Result<()> {
    for known in [false, true] {
        for b_first in [false, true] {
            let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
            a.at(-3_000, SOFT).await?;
            if known {
                scene.settled(&[&a, &b, &c]).await?;
            } else {
                b.at(-2_500, SOFT).await?;
            }
            b.at(-2_000, NEW).await?;
            let order = if b_first { [&b, &a] } else { [&a, &b] };
            for device in order {
                device.sync().await?;
            }
            scene.settled(&[&a, &b, &c]).await?;
            for device in [&a, &b, &c] {
                assert_eq!(
                    device.one(ONE).await?,
                    "1again",
                    "known: {known}, b first: {b_first}"
                );
            }
            newcomer(&scene).await?;
        }
    }
    Ok(())
}

/// DE15: (insert, delete, insert) in one push, then (delete) in another; and once more.
async fn de15_inserted_and_deleted_over_and_over(db: TestDb) -> Result<()> {
    for delete in [
        "UPDATE lists SET deleted_at = '2027-01-15 11:59:57' WHERE name = 'New' AND deleted_at IS NULL",
        "DELETE FROM lists WHERE name = 'New'",
    ] {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        let insert = "INSERT INTO lists (profile_id, name) VALUES (1, 'New')";
        let n_live = "SELECT count(*) FROM lists WHERE name = 'New' AND deleted_at IS NULL";
        for round in 0..3 {
            for (step, sql) in (0_i64..).zip([insert, delete, insert]) {
                a.at(round * 10_000 + step * 1_000 - 100_000, sql).await?;
            }
            a.sync().await?;
            assert_eq!(scene.one(n_live).await?, "1");
            a.at(round * 10_000 - 95_000, delete).await?;
            a.sync().await?;
            assert_eq!(scene.one(n_live).await?, "0");
            scene.settled(&[&a, &b, &c]).await?;
        }
        let n_names = "SELECT count(DISTINCT remote_id) FROM sync_feed WHERE tbl = 'lists'";
        assert_eq!(
            scene.one(n_names).await?,
            "6",
            "three lists, and one more a round"
        );
    }
    Ok(())
}

async fn de14_edited_and_deleted_in_one_push(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    let steps = [
        "UPDATE list_items SET title = 'Last words' WHERE meta_id = 'tt1'",
        "UPDATE list_items SET deleted_at = '2027-01-15 11:59:57' WHERE meta_id = 'tt1'",
        "UPDATE list_items SET poster = 'After all' WHERE meta_id = 'tt1'",
    ];
    for (step, sql) in (0_i64..).zip(steps) {
        a.at(step * 1_000 - 10_000, sql).await?;
    }
    a.sync().await?;
    scene.settled(&[&a, &b, &c]).await?;
    let inside =
        "SELECT DISTINCT title || ', ' || poster FROM list_items WHERE deleted_at IS NOT NULL";
    assert_eq!(scene.one(inside).await?, "Last words, After all");
    let n_live = "SELECT count(*) FROM list_items WHERE meta_id = 'tt1' AND deleted_at IS NULL";
    assert_eq!(scene.one(n_live).await?, "0");
    Ok(())
}

async fn de16_an_edit_of_a_tombstone_does_not_bring_it_back(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    a.at(
        -3_000,
        "UPDATE lists SET deleted_at = '2027-01-15 11:59:57' WHERE name = 'One'",
    )
    .await?;
    scene.settled(&[&a, &b, &c]).await?;
    b.at(-2_000, "UPDATE lists SET name = 'Edited' WHERE name = 'One';
        UPDATE list_items SET title = 'Edited' WHERE list_id = (SELECT id FROM lists WHERE name = 'Edited')").await?;
    c.at(-1_000, "UPDATE list_items SET poster = 'Edited' WHERE list_id = (SELECT id FROM lists WHERE name = 'One')").await?;
    scene.settled(&[&b, &c, &a]).await?;
    assert_eq!(
        live(&scene).await?,
        "profiles 2, lists 2, items 4, history 2, addons 2, streams 2"
    );
    a.at(-500, "UPDATE lists SET deleted_at = NULL").await?;
    scene.settled(&[&a, &b, &c]).await?;
    let all = "SELECT count(*) FROM list_items i JOIN lists l ON l.id = i.list_id
               WHERE l.name = 'Edited' AND i.title = 'Edited' AND i.poster = 'Edited' AND i.deleted_at IS NULL";
    assert_eq!(scene.one(all).await?, "2");
    Ok(())
}
