//! One statement there, and every device has what it did.

use anyhow::Result;
use sync_tests::{Scene, TestDb, on_both_backends};

use crate::delete::{TREE, tree};

on_both_backends!(
    every_statement_reaches_the_devices,
    one_statement_after_the_other_without_a_sync_between,
    rows_that_were_there_before_any_device,
);

/// In this order each does something to what the one before left.
const STATEMENTS: [&str; 18] = [
    "UPDATE lists SET name = 'Edited' WHERE name = 'One'",
    "INSERT INTO lists (profile_id, name, is_default) SELECT id, 'New', TRUE FROM profiles WHERE name = 'Anna'",
    "INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'new', 'movie' FROM lists WHERE name = 'New'",
    "UPDATE list_items SET list_id = (SELECT id FROM lists WHERE name = 'New') WHERE meta_id = 'tt1' AND list_id = (SELECT id FROM lists WHERE name = 'Edited')",
    "UPDATE lists SET profile_id = (SELECT id FROM profiles WHERE name = 'Ben') WHERE name = 'New'",
    "UPDATE lists SET deleted_at = '2027-01-15 11:59:50+00:00' WHERE name = 'New'",
    "UPDATE list_items SET title = 'Edited' WHERE meta_id = 'new'",
    "UPDATE lists SET deleted_at = NULL WHERE name = 'New'",
    "UPDATE lists SET name = name || ' again'",
    "DELETE FROM list_items WHERE meta_id = 'tt2'",
    "INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'tt2', 'series' FROM lists",
    "UPDATE profiles SET deleted_at = '2027-01-15 11:59:51+00:00' WHERE name = 'Ben'",
    "DELETE FROM profile_addons",
    "UPDATE profiles SET deleted_at = NULL, name = 'Benno' WHERE name = 'Ben'",
    "DELETE FROM lists WHERE name = 'Three again'",
    "UPDATE watch_history SET season = 2, episode = 3, position = 60, duration = 90, is_watched = TRUE",
    "DELETE FROM profiles WHERE name = 'Anna'",
    "INSERT INTO profiles (user_id, name, avatar, is_default) VALUES ('u1', 'Anna', 'new', TRUE)",
];

async fn every_statement_reaches_the_devices(db: TestDb) -> Result<()> {
    let (scene, [a, b, _]) = tree(db).await?;
    for (number, sql) in (0_i64..).zip(STATEMENTS) {
        pin(&scene, number).await?;
        scene.sql(sql).await?;
        a.sync().await?;
        scene
            .settled(&[&b, &a])
            .await
            .map_err(|error| error.context(sql))?;
    }
    crate::delete::newcomer(&scene).await
}

async fn one_statement_after_the_other_without_a_sync_between(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    for (number, sql) in (0_i64..).zip(STATEMENTS) {
        pin(&scene, number).await?;
        scene.sql(sql).await?;
        if number % 5 == 4 {
            c.sync().await?;
        }
    }
    scene.settled(&[&b, &a, &c]).await?;
    crate::delete::newcomer(&scene).await
}

async fn pin(scene: &Scene, second: i64) -> Result<()> {
    let at = sync_tests::NOON - 60_000 + second * 1_000;
    scene
        .sql(&format!("UPDATE sync_clock SET pinned_ms = {at}"))
        .await
}

/// The account's rows are older than its first device.
async fn rows_that_were_there_before_any_device(db: TestDb) -> Result<()> {
    let scene = Scene::at_noon(db).await?;
    for sql in TREE.split(";\n").filter(|sql| !sql.trim().is_empty()) {
        // The devices' SQL names ids, which sequences of Postgres do not follow; nothing is added here after.
        let sql = sql.replace(
            "(VALUES ('tt1'), ('tt2')) m",
            "(SELECT 'tt1' AS column1 UNION SELECT 'tt2') m",
        );
        scene.sql(&sql).await?;
    }
    let (a, b) = scene.pair().await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(a.one("SELECT count(*) FROM list_items").await?, "6");
    a.at(
        -1_000,
        "UPDATE lists SET name = 'Edited' WHERE name = 'One'",
    )
    .await?;
    scene.settled(&[&a, &b]).await
}
