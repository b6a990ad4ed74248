//! Deleted and undeleted in turns by several devices, with edits between.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::{ALL, live, tree};

on_both_backends!(
    de21_deleted_undeleted_and_edited_each_after_seeing_it,
    de21_an_undelete_that_has_not_seen_a_later_deletion,
    de22_an_undelete_and_an_edit_at_once,
);

async fn de21_deleted_undeleted_and_edited_each_after_seeing_it(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    a.at(
        -3_000,
        "UPDATE lists SET deleted_at = '2027-01-15 11:59:57' WHERE name = 'One'",
    )
    .await?;
    a.sync().await?;
    b.sync().await?;
    b.at(
        -2_000,
        "UPDATE lists SET deleted_at = NULL WHERE name = 'One'",
    )
    .await?;
    b.sync().await?;
    a.sync().await?;
    a.at(
        -1_000,
        "UPDATE lists SET name = 'Edited' WHERE name = 'One' AND deleted_at IS NULL",
    )
    .await?;
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(live(&scene).await?, ALL);
    let there = scene.rows("SELECT name FROM lists ORDER BY 1").await?;
    assert_eq!(there, ["Edited", "Three", "Two"]);
    Ok(())
}

/// The later word counts: of an undelete and another device's second deletion.
async fn de21_an_undelete_that_has_not_seen_a_later_deletion(db: TestDb) -> Result<()> {
    for (undeleted_at, deleted_at, lives) in [(-2_000, -1_000, false), (-1_000, -2_000, true)] {
        for b_first in [true, false] {
            let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
            a.at(
                -9_000,
                "UPDATE lists SET deleted_at = '2027-01-15 11:59:51' WHERE name = 'One'",
            )
            .await?;
            scene.settled(&[&a, &b, &c]).await?;
            b.at(
                undeleted_at,
                "UPDATE lists SET deleted_at = NULL WHERE name = 'One'",
            )
            .await?;
            // C had undeleted it, too, and then deleted it again.
            c.at(
                -8_000,
                "UPDATE lists SET deleted_at = NULL WHERE name = 'One'",
            )
            .await?;
            c.at(
                deleted_at,
                "UPDATE lists SET deleted_at = '2027-01-15 11:59:58.5' WHERE name = 'One'",
            )
            .await?;
            let order = if b_first { [&b, &c] } else { [&c, &b] };
            for device in order {
                device.sync().await?;
            }
            scene.settled(&[&a, &b, &c]).await?;
            let expected = if lives {
                ALL
            } else {
                "profiles 2, lists 2, items 4, history 2, addons 2, streams 2"
            };
            assert_eq!(
                live(&scene).await?,
                expected,
                "undeleted at {undeleted_at}, b first: {b_first}"
            );
        }
    }
    Ok(())
}

async fn de22_an_undelete_and_an_edit_at_once(db: TestDb) -> Result<()> {
    for b_first in [true, false] {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        a.at(
            -9_000,
            "UPDATE profiles SET deleted_at = '2027-01-15 11:59:51' WHERE name = 'Anna'",
        )
        .await?;
        scene.settled(&[&a, &b, &c]).await?;
        b.at(
            -3_000,
            "UPDATE profiles SET deleted_at = NULL, name = 'Anne' WHERE name = 'Anna'",
        )
        .await?;
        a.at(
            -2_000,
            "UPDATE lists SET name = 'Edited' WHERE name = 'One'",
        )
        .await?;
        let order = if b_first { [&b, &a] } else { [&a, &b] };
        for device in order {
            device.sync().await?;
        }
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(live(&scene).await?, ALL, "b first: {b_first}");
        let names = "SELECT p.name || ' ' || l.name FROM lists l JOIN profiles p ON p.id = l.profile_id ORDER BY 1";
        assert_eq!(
            scene.rows(names).await?,
            ["Anne Edited", "Anne Two", "Ben Three"]
        );
    }
    Ok(())
}
