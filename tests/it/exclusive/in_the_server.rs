//! The flag is given in the server's own database, by a web app or an administrator.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::{FLAGGED, choose, defaults, three_of_each};

on_both_backends!(
    v13_the_servers_own_choice_reaches_devices,
    v13_two_defaults_in_the_server_are_one,
    v13_the_server_and_a_device_choose_at_once,
);

async fn v13_the_servers_own_choice_reaches_devices(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = three_of_each(db).await?;
    scene
        .sql("UPDATE sync_clock SET pinned_ms = 1800014399000")
        .await?;
    for table in FLAGGED {
        let scope = if table == "lists" {
            "AND profile_id = (SELECT profile_id FROM lists WHERE name = 'Two')"
        } else {
            ""
        };
        scene
            .sql(&format!(
                "UPDATE {table} SET is_default = FALSE WHERE is_default {scope}"
            ))
            .await?;
        scene
            .sql(&format!(
                "UPDATE {table} SET is_default = TRUE WHERE name = 'Two'"
            ))
            .await?;
        assert_eq!(
            defaults(&scene, &[&a, &b, &c], table).await?,
            ["Two"],
            "{table}"
        );
    }
    Ok(())
}

/// Only the second statement: a page never shows two.
async fn v13_two_defaults_in_the_server_are_one(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = three_of_each(db).await?;
    scene
        .sql("UPDATE sync_clock SET pinned_ms = 1800014399000")
        .await?;
    for table in FLAGGED {
        scene
            .sql(&format!(
                "UPDATE {table} SET is_default = TRUE WHERE name = 'Two'"
            ))
            .await?;
        b.sync().await?;
        let n = format!("SELECT count(*) FROM {table} WHERE is_default AND name <> 'Other'");
        assert_eq!(b.one(&n).await?, "1", "{table}: the first page after it");
        assert_eq!(
            defaults(&scene, &[&a, &b, &c], table).await?,
            ["Two"],
            "{table}"
        );
    }
    Ok(())
}

async fn v13_the_server_and_a_device_choose_at_once(db: TestDb) -> Result<()> {
    for (server_at, expected) in [("1800014399000", "Two"), ("1800014397000", "Three")] {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        scene
            .sql(&format!("UPDATE sync_clock SET pinned_ms = {server_at}"))
            .await?;
        for table in FLAGGED {
            a.at(-2_000, &choose(table, "Three")).await?;
            scene
                .sql(&format!(
                    "UPDATE {table} SET is_default = TRUE WHERE name = 'Two'"
                ))
                .await?;
            a.sync().await?;
            assert_eq!(
                defaults(&scene, &[&a, &b, &c], table).await?,
                [expected],
                "{table}"
            );
        }
    }
    Ok(())
}
