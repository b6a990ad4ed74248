//! Rows that a program deletes for good, here and there.

use anyhow::Result;
use sync_tests::{ORDERS, TestDb, on_both_backends, scene_time::sync_in};

use super::{live, newcomer, tree};

on_both_backends!(
    de19_deleted_for_good_and_kept_by_a_later_undelete,
    de19_deleted_for_good_while_others_edit_and_undelete,
    de19_deleted_for_good_by_a_program_without_foreign_keys,
    de19_deleted_for_good_on_both,
    de19_deleted_for_good_at_the_server_while_it_is_edited,
);

/// A deletes the list for good, B edits it, C adds to it.
async fn de19_deleted_for_good_while_others_edit_and_undelete(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        a.at(-3_000, "DELETE FROM lists WHERE name = 'One'").await?;
        b.at(
            -2_000,
            "UPDATE lists SET name = 'Edited' WHERE name = 'One'",
        )
        .await?;
        c.at(-1_000, "INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'new', 'movie' FROM lists WHERE name = 'One'").await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(
            live(&scene).await?,
            "profiles 2, lists 2, items 4, history 2, addons 2, streams 2",
            "{order:?}"
        );
        newcomer(&scene).await?;
        // Others still have the row, and may bring it back.
        b.at(
            -500,
            "UPDATE lists SET deleted_at = NULL WHERE name = 'Edited'",
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

async fn de19_deleted_for_good_by_a_program_without_foreign_keys(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    a.sql("PRAGMA foreign_keys = OFF").await?;
    a.at(-3_000, "DELETE FROM profiles WHERE name = 'Anna'")
        .await?;
    a.sql("PRAGMA foreign_keys = ON").await?;
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(live(&scene).await?, super::HALF);
    newcomer(&scene).await
}

async fn de19_deleted_for_good_on_both(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    a.at(-3_000, "DELETE FROM lists WHERE name = 'One'").await?;
    b.at(-2_000, "DELETE FROM profiles WHERE name = 'Anna'")
        .await?;
    c.at(-1_000, "DELETE FROM list_items").await?;
    for device in [&a, &b, &c] {
        assert_eq!(device.sync().await?.n_rejected, 0);
    }
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(
        live(&scene).await?,
        "profiles 1, lists 1, items 0, history 1, addons 1, streams 1"
    );
    newcomer(&scene).await
}

/// Nothing is left at the server to merge into: what a device still has of it goes.
async fn de19_deleted_for_good_at_the_server_while_it_is_edited(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    scene
        .sql("UPDATE sync_clock SET pinned_ms = 1800014397000")
        .await?;
    scene.sql("DELETE FROM lists WHERE name = 'One'").await?;
    a.at(
        -2_000,
        "UPDATE lists SET name = 'Edited' WHERE name = 'One'",
    )
    .await?;
    b.at(-1_000, "INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'new', 'movie' FROM lists WHERE name = 'One'").await?;
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(
        live(&scene).await?,
        "profiles 2, lists 2, items 4, history 2, addons 2, streams 2"
    );
    newcomer(&scene).await?;
    // Its name is free for a new one.
    c.at(
        -500,
        "INSERT INTO lists (profile_id, name) SELECT id, 'One' FROM profiles WHERE name = 'Anna'",
    )
    .await?;
    scene.settled(&[&c, &a, &b]).await?;
    assert_eq!(
        live(&scene).await?,
        "profiles 2, lists 3, items 4, history 2, addons 2, streams 2"
    );
    Ok(())
}

/// B has deleted the list and brought it back, later than A deleted it for good: A gets all of it again.
async fn de19_deleted_for_good_and_kept_by_a_later_undelete(db: TestDb) -> Result<()> {
    for b_first in [true, false] {
        for page_rows in [1, 1_000] {
            let (scene, [mut a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
            a.limit_rows(page_rows, u32::try_from(page_rows)?);
            a.at(-3_000, "DELETE FROM lists WHERE name = 'One'").await?;
            b.at(
                -2_000,
                "UPDATE lists SET deleted_at = '2027-01-15 11:59:58' WHERE name = 'One'",
            )
            .await?;
            if b_first {
                b.sync().await?;
            }
            b.at(-1_000, "UPDATE lists SET deleted_at = NULL").await?;
            let order = if b_first { [&b, &a] } else { [&a, &b] };
            for device in order {
                device.sync().await?;
            }
            scene.settled(&[&a, &b, &c]).await?;
            // Where B undid its deletion before any push, it has said nothing.
            let expected = match b_first {
                true => super::ALL,
                false => "profiles 2, lists 2, items 4, history 2, addons 2, streams 2",
            };
            assert_eq!(live(&scene).await?, expected, "b first: {b_first}");
            newcomer(&scene).await?;
        }
    }
    Ok(())
}
