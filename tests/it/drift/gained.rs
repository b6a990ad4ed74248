//! A device that was upgraded fetches what it lacked, and nothing else happens to it.

use std::time::Duration;

use anyhow::{Context, Result};
use sea_orm::ConnectionTrait;
use sync_tests::{Fault, TestDb, on_both_backends};

use super::{
    tables::Version::{self, Newer, Older},
    world::{LABELS, Member, NOTES, World},
};

on_both_backends!(
    sd04_columns_and_tables_that_are_new_are_fetched_for_what_was_there,
    sd04_so_they_are_page_by_page_where_the_network_fails,
    sd04_what_is_pending_stays_so,
    sd04_what_the_user_wrote_before_the_first_sync_is_not_lost,
    sd04_what_a_program_wrote_before_it_was_captured_is_not_lost,
    sd04_deletions_that_were_forgotten_meanwhile_are_heard_of,
    sd04_a_new_life_of_the_server_is_noticed_all_the_same,
    sd04_tombstones_may_be_forgotten_while_it_fetches,
    sd11_nothing_is_remembered_of_what_did_not_come,
    sd11_an_upgrade_in_the_middle_of_the_first_pull_is_noticed,
);

/// A server with notes and labels, a newer device that made them, and an older one that has seen them.
async fn world(db: TestDb) -> Result<(World, Member, Member)> {
    let world = World::new(db, Newer).await?;
    let (a, older) = (world.device(Newer).await?, world.device(Older).await?);
    a.sql("INSERT INTO notes (user_id, text, color, stars) VALUES
             ('u1', 'bread', NULL, 3), ('u1', 'eggs', NULL, 3), ('u1', 'milk', 'red', 5), ('u1', 'tea', 'green', 3)")
        .await?;
    a.sql("INSERT INTO labels (note_id, name) VALUES (3, 'food'), (4, 'drink')")
        .await?;
    a.sync().await?;
    older.sync().await?;
    older.is_at_rest().await?;
    Ok((world, a, older))
}

const ALL: [&str; 4] = ["bread|NULL|3", "eggs|NULL|3", "milk|red|5", "tea|green|3"];

async fn sd04_columns_and_tables_that_are_new_are_fetched_for_what_was_there(
    db: TestDb,
) -> Result<()> {
    let (world, a, older) = world(db).await?;
    let cursor = older.device.state().await?.cursor;
    let b = world.becomes(older, Newer).await?;
    assert_eq!(b.device.state().await?.cursor, cursor);
    b.sync().await?;
    assert_eq!(b.device.state().await?.cursor, cursor);
    assert_eq!(b.net.pulls().len(), 2, "all of it once");
    assert_eq!(b.rows(NOTES).await?, ALL);
    assert_eq!(
        world.agree(&[&a, &b], LABELS).await?,
        ["milk|food", "tea|drink"]
    );
    Ok(())
}

async fn sd04_so_they_are_page_by_page_where_the_network_fails(db: TestDb) -> Result<()> {
    let (world, a, older) = world(db).await?;
    let mut b = world.becomes(older, Newer).await?;
    b.limit_rows(2);
    for n_good in [1, 2, 1] {
        b.net.plan_pulls((0..n_good).map(|_| Fault::None));
        b.net.on_pull(Fault::LoseAnswer);
        b.net.on_pull(Fault::LoseAnswer);
        assert!(b.sync().await.is_err());
    }
    b.net.plan_pulls([]);
    b.net.forget();
    b.sync().await?;
    let asked = b.net.pulls();
    let went_on = asked
        .iter()
        .any(|uri| uri.contains("tables=") && uri.contains("cursor="));
    assert!(went_on, "{asked:?}");
    assert!(asked.len() < 4, "not from the beginning: {asked:?}");
    assert_eq!(world.agree(&[&b, &a], NOTES).await?, ALL);
    assert_eq!(b.rows(LABELS).await?, ["milk|food", "tea|drink"]);
    Ok(())
}

async fn sd04_what_is_pending_stays_so(db: TestDb) -> Result<()> {
    let (world, a, older) = world(db).await?;
    older
        .sql("UPDATE notes SET text = 'oat milk' WHERE text = 'milk'; DELETE FROM notes WHERE text = 'eggs';
              UPDATE notes SET deleted_at = CURRENT_TIMESTAMP WHERE text = 'tea';
              INSERT INTO notes (user_id, text) VALUES ('u1', 'wine')")
        .await?;
    let b = world.becomes(older, Newer).await?;
    let expected = ["bread|NULL|3", "oat milk|red|5", "wine|NULL|3"];
    assert_eq!(world.agree(&[&b, &a], NOTES).await?, expected);
    assert_eq!(a.rows(LABELS).await?, ["oat milk|food"]);
    Ok(())
}

async fn sd04_what_the_user_wrote_before_the_first_sync_is_not_lost(db: TestDb) -> Result<()> {
    let (world, a, older) = world(db).await?;
    let b = world.becomes(older, Newer).await?;
    b.sql("UPDATE notes SET color = 'blue' WHERE text IN ('milk', 'eggs')")
        .await?;
    b.sql("UPDATE notes SET color = 'pink', stars = 1 WHERE text = 'bread'; UPDATE notes SET color = NULL WHERE text = 'bread'")
        .await?;
    let expected = ["bread|NULL|1", "eggs|blue|3", "milk|blue|5", "tea|green|3"];
    assert_eq!(world.agree(&[&b, &a], NOTES).await?, expected);
    Ok(())
}

/// The app has migrated and written its file before a program that syncs it has seen that.
async fn sd04_what_a_program_wrote_before_it_was_captured_is_not_lost(db: TestDb) -> Result<()> {
    let (world, a, older) = world(db).await?;
    let (folder, file, number) = older.closed().await?;
    Newer.migrate(&file).await?;
    let later = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 minute')";
    file.execute_unprepared(&format!(
        "UPDATE notes SET color = 'blue', updated_at = {later} WHERE text = 'eggs'"
    ))
    .await?;
    let b = world.reopened(folder, file, Newer, number).await?;
    let expected = ["bread|NULL|3", "eggs|blue|3", "milk|red|5", "tea|green|3"];
    assert_eq!(world.agree(&[&b, &a], NOTES).await?, expected);
    Ok(())
}

/// The upgrade must not make the device forget how far it had come.
async fn sd04_deletions_that_were_forgotten_meanwhile_are_heard_of(db: TestDb) -> Result<()> {
    let (world, a, older) = world(db).await?;
    a.sql("UPDATE notes SET deleted_at = CURRENT_TIMESTAMP WHERE text = 'tea'")
        .await?;
    a.sync().await?;
    let engine = &world.server.engine;
    let garbage = engine.collect_aged(Duration::ZERO, &|| true).await?;
    assert_eq!(garbage.n_tombstones, 2);
    older
        .sql("UPDATE notes SET text = 'eggs and ham' WHERE text = 'eggs'; UPDATE notes SET text = 'green tea' WHERE text = 'tea'")
        .await?;
    let b = world.becomes(older, Newer).await?;
    let expected = ["bread|NULL|3", "eggs and ham|NULL|3", "milk|red|5"];
    assert_eq!(world.agree(&[&b, &a], NOTES).await?, expected);
    Ok(())
}

async fn sd04_a_new_life_of_the_server_is_noticed_all_the_same(db: TestDb) -> Result<()> {
    let (world, _a, older) = world(db).await?;
    world.server.engine.begin_epoch().await?;
    let b = world.becomes(older, Newer).await?;
    for _ in 0..2 {
        let error = b.sync().await.err().context("it is told")?;
        assert_eq!(error.word(), "epoch_changed");
    }
    Ok(())
}

async fn sd04_tombstones_may_be_forgotten_while_it_fetches(db: TestDb) -> Result<()> {
    let (world, a, older) = world(db).await?;
    a.sql("UPDATE notes SET deleted_at = CURRENT_TIMESTAMP WHERE text = 'tea'")
        .await?;
    a.sync().await?;
    let mut b = world.becomes(older, Newer).await?;
    b.limit_rows(2);
    b.sync_until_fetching().await?;
    a.sql("UPDATE notes SET deleted_at = CURRENT_TIMESTAMP WHERE text = 'bread'")
        .await?;
    a.sync().await?;
    let engine = &world.server.engine;
    engine.collect_aged(Duration::ZERO, &|| true).await?;
    let expected = ["eggs|NULL|3", "milk|red|5"];
    assert_eq!(world.agree(&[&b, &a], NOTES).await?, expected);
    Ok(())
}

async fn sd11_nothing_is_remembered_of_what_did_not_come(db: TestDb) -> Result<()> {
    let (world, a, older) = world(db).await?;
    let b = world.becomes(older, Newer).await?;
    for fault in [Fault::Offline, Fault::LoseAnswer] {
        b.net.plan_pulls([Fault::None, fault]);
        assert!(b.sync().await.is_err());
        assert_eq!(b.rows("SELECT id FROM labels").await?, [""; 0]);
    }
    // Nor by a program that is opened again.
    let b = world.becomes(b, Newer).await?;
    assert_eq!(world.agree(&[&b, &a], NOTES).await?, ALL);
    assert_eq!(b.rows(LABELS).await?.len(), 2);
    Ok(())
}

async fn sd11_an_upgrade_in_the_middle_of_the_first_pull_is_noticed(db: TestDb) -> Result<()> {
    let (world, a, _older) = world(db).await?;
    let mut b = world.device(Version::Older).await?;
    b.limit_rows(2);
    b.net.plan_pulls([Fault::None, Fault::LoseAnswer]);
    assert!(b.sync().await.is_err());
    let b = world.becomes(b, Newer).await?;
    assert_eq!(world.agree(&[&b, &a], NOTES).await?, ALL);
    assert_eq!(b.rows(LABELS).await?.len(), 2);
    Ok(())
}

impl Member {
    /// Syncs until the first page of what was gained has come, and no further.
    async fn sync_until_fetching(&self) -> Result<()> {
        for n_good in 1..10 {
            self.net.plan_pulls((0..n_good).map(|_| Fault::None));
            self.net.on_pull(Fault::LoseAnswer);
            let cut_off = self.sync().await.is_err();
            anyhow::ensure!(cut_off, "it came to its end");
            let begun = "SELECT 1 FROM sync_state WHERE refetch_cursor IS NOT NULL";
            if !self.rows(begun).await?.is_empty() {
                self.net.plan_pulls([]);
                return Ok(());
            }
        }
        anyhow::bail!("it does not fetch")
    }
}
