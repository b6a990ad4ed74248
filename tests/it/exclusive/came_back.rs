//! A former default comes back from the dead while another has taken its place.

use anyhow::Result;
use sync_tests::{ORDERS, TestDb, on_both_backends, scene_time::sync_in};

use super::{choose, defaults, three_of_each};

on_both_backends!(
    v13_an_undeleted_default_finds_another,
    v13_a_default_that_comes_back_with_its_profile,
    v13_the_default_is_made_twice_and_merges,
);

async fn v13_an_undeleted_default_finds_another(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        // The app's habit takes the flag from live rows only.
        for table in ["settings_profiles", "lists"] {
            a.at(
                -9_000,
                &format!(
                    "UPDATE {table} SET deleted_at = '2027-01-15 11:59:51' WHERE name = 'One'"
                ),
            )
            .await?;
        }
        scene.settled(&[&a, &b, &c]).await?;
        for table in ["settings_profiles", "lists"] {
            a.at(
                -3_000,
                &format!("UPDATE {table} SET is_default = 1 WHERE name = 'Two'"),
            )
            .await?;
            b.at(
                -2_000,
                &format!("UPDATE {table} SET deleted_at = NULL WHERE name = 'One'"),
            )
            .await?;
            c.at(
                -4_000,
                &format!("UPDATE {table} SET is_default = 1 WHERE name = 'Three'"),
            )
            .await?;
        }
        sync_in(&order, &[&a, &b, &c]).await?;
        for table in ["settings_profiles", "lists"] {
            assert_eq!(
                defaults(&scene, &[&a, &b, &c], table).await?,
                ["Two"],
                "{table} {order:?}"
            );
        }
    }
    Ok(())
}

/// The profile is deleted; B makes a new default list in it, of which A does not know.
async fn v13_a_default_that_comes_back_with_its_profile(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        a.at(
            -9_000,
            "UPDATE profiles SET deleted_at = '2027-01-15 11:59:51' WHERE name = 'One'",
        )
        .await?;
        b.at(-8_000, "UPDATE lists SET is_default = 0 WHERE name = 'One'; INSERT INTO lists (profile_id, name, is_default) VALUES (1, 'B', 1)").await?;
        c.at(
            -7_000,
            "INSERT INTO lists (profile_id, name, is_default) VALUES (1, 'C', 1)",
        )
        .await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        a.at(-1_000, "UPDATE profiles SET deleted_at = NULL")
            .await?;
        assert_eq!(
            defaults(&scene, &[&a, &b, &c], "lists").await?,
            ["C"],
            "{order:?}"
        );
    }
    Ok(())
}

/// Two lists of one name become one, of which one side says that it is the default.
async fn v13_the_default_is_made_twice_and_merges(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        for (device, at, flag) in [(&a, -3_000, 0), (&b, -1_000, 1)] {
            device.at(at, &format!("INSERT INTO lists (profile_id, name, is_default) VALUES (1, 'Same', {flag})")).await?;
        }
        c.at(-2_000, &choose("lists", "Three")).await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        assert_eq!(
            defaults(&scene, &[&a, &b, &c], "lists").await?,
            ["Same"],
            "{order:?}"
        );
    }
    Ok(())
}
