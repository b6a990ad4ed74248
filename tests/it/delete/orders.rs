//! One deletes, another deletes or edits: the same end whoever syncs first.

use anyhow::Result;
use sync_tests::{ORDERS, TestDb, on_both_backends, scene_time::sync_in};

use super::{live, newcomer, tree};

on_both_backends!(
    de01_a_deleted_list_goes_everywhere,
    de02_two_deletions_are_one,
    de03_an_edit_is_inside_the_tombstone_and_shown_by_an_undelete,
    de06_what_was_added_to_a_deleted_list_comes_back_with_it,
);

async fn de01_a_deleted_list_goes_everywhere(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    a.at(
        -1_000,
        "UPDATE lists SET deleted_at = '2027-01-15 11:59:59' WHERE id = 1",
    )
    .await?;
    let report = a.sync().await?;
    assert_eq!(report.n_rejected, 0);
    b.sync().await?;
    let here = b
        .rows("SELECT name FROM lists WHERE deleted_at IS NULL ORDER BY 1")
        .await?;
    assert_eq!(here, ["Three", "Two"]);
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(
        live(&scene).await?,
        "profiles 2, lists 2, items 4, history 2, addons 2, streams 2"
    );
    newcomer(&scene).await
}

/// DE02: also where each thinks it was at another time, and whatever of the two comes first.
async fn de02_two_deletions_are_one(db: TestDb) -> Result<()> {
    for order in [[0, 1, 0], [1, 0, 1]] {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        a.at(
            -9_000,
            "UPDATE lists SET deleted_at = '2027-01-15 11:59:51' WHERE id = 1",
        )
        .await?;
        b.at(
            -1_000,
            "UPDATE lists SET deleted_at = '2027-01-15 11:59:59' WHERE id = 1",
        )
        .await?;
        sync_in(&order, &[&a, &b]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        let dead = "SELECT count(*) FROM sync_feed WHERE deleted_at IS NOT NULL AND tbl = 'lists'";
        assert_eq!(scene.one(dead).await?, "1");
        let at = "SELECT count(DISTINCT deleted_at) FROM sync_feed WHERE deleted_at IS NOT NULL";
        assert_eq!(scene.one(at).await?, "1", "list and items went at one time");
        for device in [&a, &b] {
            assert_eq!(device.one("SELECT count(*) FROM sync_conflict").await?, "0");
        }
        c.at(-500, "UPDATE lists SET deleted_at = NULL").await?;
        scene.settled(&[&c, &a, &b]).await?;
        assert_eq!(live(&scene).await?, super::ALL, "{order:?}");
    }
    Ok(())
}

/// DE03 and DE04: an edit before and after the deletion, and in both orders.
async fn de03_an_edit_is_inside_the_tombstone_and_shown_by_an_undelete(db: TestDb) -> Result<()> {
    for (edited_at, order) in [
        (-9_000, [0, 1]),
        (-9_000, [1, 0]),
        (-500, [0, 1]),
        (-500, [1, 0]),
    ] {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        a.at(
            -1_000,
            "UPDATE lists SET deleted_at = '2027-01-15 11:59:59' WHERE id = 1",
        )
        .await?;
        b.at(edited_at, "UPDATE lists SET name = 'Edited' WHERE id = (SELECT id FROM lists WHERE name = 'One');
            UPDATE list_items SET title = 'Edited' WHERE list_id = (SELECT id FROM lists WHERE name = 'Edited')").await?;
        sync_in(&order, &[&a, &b]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(
            live(&scene).await?,
            "profiles 2, lists 2, items 4, history 2, addons 2, streams 2"
        );
        let inside = "SELECT name FROM lists WHERE deleted_at IS NOT NULL";
        assert_eq!(scene.one(inside).await?, "Edited", "{edited_at} {order:?}");

        c.at(
            -100,
            "UPDATE lists SET deleted_at = NULL WHERE deleted_at IS NOT NULL",
        )
        .await?;
        scene.settled(&[&c, &a, &b]).await?;
        assert_eq!(live(&scene).await?, super::ALL);
        for device in [&a, &b, &c] {
            let items = "SELECT count(*) FROM list_items i JOIN lists l ON l.id = i.list_id
                         WHERE i.title = 'Edited' AND l.name = 'Edited' AND i.deleted_at IS NULL";
            assert_eq!(device.one(items).await?, "2");
        }
    }
    Ok(())
}

/// A deletes the list, B adds to it, C edits it: in every order. The undelete brings all of it.
async fn de06_what_was_added_to_a_deleted_list_comes_back_with_it(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        a.at(
            -3_000,
            "UPDATE lists SET deleted_at = '2027-01-15 11:59:57' WHERE name = 'One'",
        )
        .await?;
        b.at(-2_000, "INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'new', 'movie' FROM lists WHERE name = 'One'").await?;
        c.at(
            -4_000,
            "UPDATE list_items SET title = 'Edited' WHERE meta_id = 'tt1'",
        )
        .await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(
            live(&scene).await?,
            "profiles 2, lists 2, items 4, history 2, addons 2, streams 2"
        );
        b.at(
            -100,
            "UPDATE lists SET deleted_at = NULL WHERE name = 'One'",
        )
        .await?;
        scene.settled(&[&b, &a, &c]).await?;
        assert_eq!(
            live(&scene).await?,
            "profiles 2, lists 3, items 7, history 2, addons 2, streams 2",
            "{order:?}"
        );
    }
    Ok(())
}
