//! Several devices choose at once: the last choice stands, in every order.

use anyhow::Result;
use sync_tests::{ORDERS, TestDb, on_both_backends, scene_time::sync_in};

use super::{FLAGGED, choose, defaults, three_of_each};

on_both_backends!(
    v13_two_choose_and_the_later_stands,
    v13_three_choose_in_every_order,
    v13_three_make_a_default_of_their_own,
    v13_the_default_is_deleted_while_another_is_chosen,
    v13_a_default_list_moves_to_a_profile_that_has_one,
    v13_two_databases_with_a_default_each_become_one,
);

async fn v13_two_choose_and_the_later_stands(db: TestDb) -> Result<()> {
    for order in [[0, 1], [1, 0]] {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        for table in FLAGGED {
            a.at(-1_000, &choose(table, "Two")).await?;
            b.at(-2_000, &choose(table, "Three")).await?;
        }
        sync_in(&order, &[&a, &b]).await?;
        for table in FLAGGED {
            assert_eq!(
                defaults(&scene, &[&a, &b, &c], table).await?,
                ["Two"],
                "{table} {order:?}"
            );
        }
    }
    Ok(())
}

/// One of them chooses what was the default already, after having chosen another.
async fn v13_three_choose_in_every_order(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        for table in FLAGGED {
            a.at(-3_000, &choose(table, "Two")).await?;
            b.at(-4_000, &choose(table, "Three")).await?;
            c.at(-2_000, &choose(table, "Two")).await?;
            c.sync().await?;
            c.at(-1_000, &choose(table, "One")).await?;
        }
        sync_in(&order, &[&a, &b, &c]).await?;
        for table in FLAGGED {
            assert_eq!(
                defaults(&scene, &[&a, &b, &c], table).await?,
                ["One"],
                "{table} {order:?}"
            );
        }
    }
    Ok(())
}

async fn v13_three_make_a_default_of_their_own(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        for (device, at, name) in [(&a, -3_000, "A"), (&b, -1_000, "B"), (&c, -2_000, "C")] {
            for (table, columns, values) in [
                ("settings_profiles", "user_id", "'u1'"),
                ("profiles", "avatar, user_id", "'', 'u1'"),
                ("lists", "profile_id", "1"),
            ] {
                // Without taking it from the one that had it.
                device.at(at, &format!("INSERT INTO {table} (name, is_default, {columns}) VALUES ('{name}', 1, {values})")).await?;
            }
        }
        sync_in(&order, &[&a, &b, &c]).await?;
        for table in FLAGGED {
            assert_eq!(
                defaults(&scene, &[&a, &b, &c], table).await?,
                ["B"],
                "{table} {order:?}"
            );
        }
    }
    Ok(())
}

/// A deletes the default and chooses none; B chooses another, before or after.
async fn v13_the_default_is_deleted_while_another_is_chosen(db: TestDb) -> Result<()> {
    for order in [[0, 1], [1, 0]] {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        for (at, table) in (0_i64..).zip(FLAGGED) {
            a.at(
                at - 2_000,
                &format!(
                    "UPDATE {table} SET deleted_at = '2027-01-15 11:59:5{at}' WHERE name = 'One'"
                ),
            )
            .await?;
            b.at(-1_000, &choose(table, "Three")).await?;
        }
        sync_in(&order, &[&a, &b]).await?;
        for table in ["settings_profiles", "profiles"] {
            assert_eq!(
                defaults(&scene, &[&a, &b, &c], table).await?,
                ["Three"],
                "{table} {order:?}"
            );
        }
        // Its profile is gone, and the list with it.
        let none: [&str; 0] = [];
        assert_eq!(defaults(&scene, &[&a, &b, &c], "lists").await?, none);
    }
    Ok(())
}

async fn v13_a_default_list_moves_to_a_profile_that_has_one(db: TestDb) -> Result<()> {
    for order in [[0, 1], [1, 0]] {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        a.at(
            -2_000,
            "UPDATE lists SET profile_id = 1 WHERE name = 'Other'",
        )
        .await?;
        b.at(-1_000, &choose("lists", "Three")).await?;
        sync_in(&order, &[&a, &b]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        let there = "SELECT name FROM lists WHERE is_default ORDER BY 1";
        assert_eq!(scene.rows(there).await?, ["Three"], "{order:?}");
        // A profile that is left without may be given one.
        c.at(-500, "INSERT INTO lists (profile_id, name, is_default) SELECT id, 'New', 1 FROM profiles WHERE name = 'Two'").await?;
        scene.settled(&[&c, &a, &b]).await?;
        assert_eq!(scene.rows(there).await?, ["New", "Three"], "{order:?}");
    }
    Ok(())
}

/// As when a second installation that was never synced is connected.
async fn v13_two_databases_with_a_default_each_become_one(db: TestDb) -> Result<()> {
    let scene = sync_tests::Scene::at_noon(db).await?;
    let (a, b) = scene.pair().await?;
    for (device, at) in [(&a, -2_000), (&b, -1_000)] {
        let name = device.number;
        device.at(at, &format!(
            "INSERT INTO settings_profiles (user_id, name, is_default) VALUES ('u1', 'S{name}', 1);
             INSERT INTO profiles (user_id, name, avatar, is_default) VALUES ('u1', 'P{name}', '', 1);
             INSERT INTO lists (profile_id, name, is_default) SELECT id, 'L', 1 FROM profiles"
        )).await?;
    }
    for device in [&b, &a] {
        device.sync().await?;
    }
    for (table, expected) in [("settings_profiles", "S2"), ("profiles", "P2")] {
        assert_eq!(defaults(&scene, &[&a, &b], table).await?, [expected]);
    }
    assert_eq!(
        defaults(&scene, &[&a, &b], "lists").await?,
        ["L", "L"],
        "each profile keeps its own"
    );
    Ok(())
}
