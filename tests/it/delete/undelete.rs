//! What comes back: exactly what went along, and never under something that is deleted.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::{ALL, HALF, live, newcomer, tree};

on_both_backends!(
    de07_exactly_those_come_back_that_went_along,
    de07_deleted_and_undeleted_before_any_sync,
    de08_a_list_does_not_come_back_into_a_deleted_profile,
    de08_nor_where_the_profile_was_deleted_elsewhere,
);

/// Item tt2 and the list Two were deleted before the profile was.
async fn de07_exactly_those_come_back_that_went_along(db: TestDb) -> Result<()> {
    for (by_same, restart) in [(true, false), (false, false), (false, true)] {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        a.at(-9_000, "UPDATE list_items SET deleted_at = '2027-01-15 11:59:51' WHERE meta_id = 'tt2' AND list_id = 1").await?;
        a.at(
            -8_000,
            "UPDATE lists SET deleted_at = '2027-01-15 11:59:52' WHERE name = 'Two'",
        )
        .await?;
        if restart {
            scene.settled(&[&a, &b, &c]).await?;
        }
        a.at(
            -7_000,
            "UPDATE profiles SET deleted_at = '2027-01-15 11:59:53' WHERE name = 'Anna'",
        )
        .await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(live(&scene).await?, HALF);
        let device = if by_same { &a } else { &b };
        device
            .at(-1_000, "UPDATE profiles SET deleted_at = NULL")
            .await?;
        scene.settled(&[device, &a, &b, &c]).await?;
        let expected = "profiles 2, lists 2, items 3, history 2, addons 2, streams 2";
        assert_eq!(live(&scene).await?, expected);
        // The list comes back with its items by an undelete of its own, the item by one of its own.
        c.at(-500, "UPDATE lists SET deleted_at = NULL").await?;
        scene.settled(&[&c, &a, &b]).await?;
        assert_eq!(
            live(&scene).await?,
            "profiles 2, lists 3, items 5, history 2, addons 2, streams 2"
        );
        c.at(-400, "UPDATE list_items SET deleted_at = NULL")
            .await?;
        scene.settled(&[&c, &a, &b]).await?;
        assert_eq!(live(&scene).await?, ALL);
        newcomer(&scene).await?;
    }
    Ok(())
}

async fn de07_deleted_and_undeleted_before_any_sync(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    a.at(
        -3_000,
        "UPDATE profiles SET deleted_at = '2027-01-15 11:59:57' WHERE name = 'Anna'",
    )
    .await?;
    a.at(-2_000, "UPDATE profiles SET deleted_at = NULL")
        .await?;
    a.net.forget();
    a.sync().await?;
    assert_eq!(a.net.pushes().len(), 0, "nothing has changed");
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(live(&scene).await?, ALL);
    Ok(())
}

/// DE08: the list was deleted before its profile; told apart by its own time.
async fn de08_a_list_does_not_come_back_into_a_deleted_profile(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    a.at(
        -9_000,
        "UPDATE lists SET deleted_at = '2027-01-15 11:59:51' WHERE name = 'One'",
    )
    .await?;
    a.at(
        -8_000,
        "UPDATE profiles SET deleted_at = '2027-01-15 11:59:52' WHERE name = 'Anna'",
    )
    .await?;
    scene.settled(&[&a, &b, &c]).await?;
    b.at(
        -3_000,
        "UPDATE lists SET deleted_at = NULL WHERE name = 'One'",
    )
    .await?;
    b.sync().await?;
    let rejected = b.rejected().await?;
    let why = |row: &String| row.ends_with(" parent_deleted");
    assert!(
        rejected.len() == 3 && rejected.iter().all(why),
        "the list and its items: {rejected:?}"
    );
    assert_eq!(live(&scene).await?, HALF);
    a.sync().await?;
    a.check().await?;

    // Once the profile is back, so is the list, by the next sync.
    b.at(-2_000, "UPDATE profiles SET deleted_at = NULL")
        .await?;
    scene.settled(&[&b, &a, &c]).await?;
    assert_eq!(live(&scene).await?, ALL);
    Ok(())
}

/// B undeletes the list while A deletes the profile, of which B does not know.
async fn de08_nor_where_the_profile_was_deleted_elsewhere(db: TestDb) -> Result<()> {
    for b_first in [true, false] {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        a.at(
            -9_000,
            "UPDATE lists SET deleted_at = '2027-01-15 11:59:51' WHERE name = 'One'",
        )
        .await?;
        scene.settled(&[&a, &b, &c]).await?;
        a.at(
            -3_000,
            "UPDATE profiles SET deleted_at = '2027-01-15 11:59:57' WHERE name = 'Anna'",
        )
        .await?;
        b.at(
            -2_000,
            "UPDATE lists SET deleted_at = NULL WHERE name = 'One'",
        )
        .await?;
        let order = if b_first { [&b, &a, &b] } else { [&a, &b, &a] };
        for device in order {
            device.sync().await?;
        }
        // B did not know, so nothing is held against it.
        assert_eq!(
            b.rejected().await?,
            Vec::<String>::new(),
            "b first: {b_first}"
        );
        assert_eq!(live(&scene).await?, HALF);
        for device in [&a, &c] {
            device.sync().await?;
            device.check().await?;
        }
        // What the user sees on B is not a list in a deleted profile.
        let shown = "SELECT count(*) FROM lists l JOIN profiles p ON p.id = l.profile_id
                     WHERE l.name = 'One' AND l.deleted_at IS NULL AND p.deleted_at IS NULL";
        assert_eq!(b.one(shown).await?, "0");
        c.at(-1_000, "UPDATE profiles SET deleted_at = NULL")
            .await?;
        c.sync().await?;
        scene.settled(&[&b, &a, &c]).await?;
        assert_eq!(live(&scene).await?, ALL, "b first: {b_first}");
    }
    Ok(())
}
