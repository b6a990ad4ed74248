//! A newer device at an older server: what the server knows is synced, the rest waits for its upgrade.

use anyhow::Result;
use sync_core::schema::pin_clock;
use sync_tests::{Fault, TestDb, on_both_backends};

use super::{
    tables::Version::{Newer, Older},
    world::{LABELS, NOTES, TEXTS, World},
};

on_both_backends!(
    sd01_what_the_server_knows_is_synced_and_the_rest_after_its_upgrade,
    sd01_edits_go_on_meanwhile_and_the_last_one_wins,
    sd01_a_row_made_in_one_moment_keeps_its_unknown_values,
    sd01_rows_of_an_unknown_table_wait_with_what_they_belong_to,
    sd01_an_answer_that_is_lost_loses_nothing_that_waits,
    sd01_the_same_row_of_two_devices_keeps_what_only_one_of_them_said,
    sd01_a_waiting_edit_is_not_overruled_by_the_servers_default,
);

async fn sd01_what_the_server_knows_is_synced_and_the_rest_after_its_upgrade(
    db: TestDb,
) -> Result<()> {
    let mut world = World::new(db, Older).await?;
    let (mut a, mut b) = (world.device(Newer).await?, world.device(Newer).await?);
    let older = world.device(Older).await?;
    a.sql("INSERT INTO notes (user_id, text, color, stars) VALUES ('u1', 'milk', 'red', 5), ('u1', 'eggs', NULL, 3)")
        .await?;
    a.sync().await?;

    older.sync().await?;
    assert_eq!(older.rows(TEXTS).await?, ["eggs", "milk"]);
    let status = a.status().await?;
    assert_eq!(status.rejected, [], "nobody has to do anything");
    assert_eq!(status.pending.len(), 1, "but it is not all there yet");
    a.is_quiet().await?;
    b.sync().await?;
    assert_eq!(b.rows(NOTES).await?, ["eggs|NULL|3", "milk|NULL|3"]);

    world.server_becomes(Newer).await?;
    world.reaches(&mut a);
    world.reaches(&mut b);
    let notes = world.agree(&[&a, &b], NOTES).await?;
    assert_eq!(notes, ["eggs|NULL|3", "milk|red|5"]);
    Ok(())
}

async fn sd01_edits_go_on_meanwhile_and_the_last_one_wins(db: TestDb) -> Result<()> {
    let mut world = World::new(db, Older).await?;
    let (mut a, mut b) = (world.device(Newer).await?, world.device(Newer).await?);
    a.sql("INSERT INTO notes (user_id, text, color) VALUES ('u1', 'milk', 'red')")
        .await?;
    a.sync().await?;
    b.sync().await?;
    a.sql("UPDATE notes SET text = 'oat milk', color = 'blue'")
        .await?;
    a.sync().await?;
    assert_eq!(world.rows("SELECT text FROM notes").await?, ["oat milk"]);
    b.sync().await?;
    assert_eq!(b.rows(NOTES).await?, ["oat milk|NULL|3"]);
    b.sql("UPDATE notes SET color = 'green'").await?;
    b.sync().await?;
    a.sql("UPDATE notes SET text = 'soy milk'").await?;
    a.sync().await?;

    world.server_becomes(Newer).await?;
    world.reaches(&mut a);
    world.reaches(&mut b);
    let notes = world.agree(&[&a, &b], NOTES).await?;
    assert_eq!(notes, ["soy milk|green|3"]);
    Ok(())
}

/// Its values have one time: the server's own default is not the later one.
async fn sd01_a_row_made_in_one_moment_keeps_its_unknown_values(db: TestDb) -> Result<()> {
    for sync_between in [true, false] {
        let mut world = World::new(TestDb::new(db.backend()).await?, Older).await?;
        let (mut a, mut b) = (world.device(Newer).await?, world.device(Newer).await?);
        if sync_between {
            a.sync().await?;
        }
        pin_clock(a.device.db(), Some(1_700_000_000_000)).await?;
        a.sql("INSERT INTO notes (user_id, text) VALUES ('u1', 'milk'); UPDATE notes SET color = 'a', stars = 1")
            .await?;
        a.sync().await?;
        world.server_becomes(Newer).await?;
        world.reaches(&mut a);
        world.reaches(&mut b);
        assert_eq!(world.agree(&[&a, &b], NOTES).await?, ["milk|a|1"]);
    }
    Ok(())
}

async fn sd01_rows_of_an_unknown_table_wait_with_what_they_belong_to(db: TestDb) -> Result<()> {
    let mut world = World::new(db, Older).await?;
    let (mut a, mut b) = (world.device(Newer).await?, world.device(Newer).await?);
    a.sql("INSERT INTO notes (user_id, text) VALUES ('u1', 'milk')")
        .await?;
    a.sql("INSERT INTO labels (note_id, name) VALUES (1, 'food'), (1, 'wrong'), (1, 'bad')")
        .await?;
    a.sync().await?;
    b.sync().await?;
    assert_eq!(a.status().await?.rejected, []);
    a.sql("DELETE FROM labels WHERE name = 'wrong'").await?;
    a.sql("UPDATE labels SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'bad'")
        .await?;
    a.sync().await?;
    a.is_quiet().await?;

    world.server_becomes(Newer).await?;
    world.reaches(&mut a);
    world.reaches(&mut b);
    assert_eq!(world.agree(&[&a, &b], LABELS).await?, ["milk|food"]);
    Ok(())
}

async fn sd01_an_answer_that_is_lost_loses_nothing_that_waits(db: TestDb) -> Result<()> {
    let mut world = World::new(db, Older).await?;
    let (mut a, mut b) = (world.device(Newer).await?, world.device(Newer).await?);
    for known_before in [false, true] {
        let text = format!("milk {known_before}");
        a.sql(&format!(
            "INSERT INTO notes (user_id, text, color) VALUES ('u1', '{text}', 'red')"
        ))
        .await?;
        a.net.on_push(Fault::LoseAnswer);
        assert!(a.sync().await.is_err());
        a.net.on_pull(Fault::LoseAnswer);
        assert!(a.sync().await.is_err());
        a.sync().await?;
    }
    world.server_becomes(Newer).await?;
    world.reaches(&mut a);
    world.reaches(&mut b);
    let notes = world.agree(&[&a, &b], NOTES).await?;
    assert_eq!(notes, ["milk false|red|3", "milk true|red|3"]);
    Ok(())
}

/// A copy of a database sends the same row; what the server knows of it is equal, what it does not is not.
async fn sd01_the_same_row_of_two_devices_keeps_what_only_one_of_them_said(
    db: TestDb,
) -> Result<()> {
    let mut world = World::new(db, Older).await?;
    let (mut a, mut b) = (world.device(Newer).await?, world.device(Newer).await?);
    let name = "01900000-0000-7000-8000-000000000001";
    for (device, color) in [(&a, "NULL"), (&b, "'red'")] {
        device
            .sql(&format!(
                "INSERT INTO notes (user_id, text, color) VALUES ('u1', 'milk', {color})"
            ))
            .await?;
        device
            .sql(&format!("UPDATE notes SET remote_id = '{name}'"))
            .await?;
    }
    a.sync().await?;
    b.device.pull(&*b.net, &|_| {}).await?;
    b.sync().await?;
    world.server_becomes(Newer).await?;
    world.reaches(&mut a);
    world.reaches(&mut b);
    let notes = world.agree(&[&a, &b], NOTES).await?;
    assert!(notes.contains(&"milk|red|3".to_owned()), "{notes:?}");
    Ok(())
}

async fn sd01_a_waiting_edit_is_not_overruled_by_the_servers_default(db: TestDb) -> Result<()> {
    let mut world = World::new(db, Older).await?;
    let (mut a, mut b) = (world.device(Newer).await?, world.device(Newer).await?);
    a.sql("INSERT INTO notes (user_id, text) VALUES ('u1', 'milk')")
        .await?;
    a.sync().await?;
    b.sync().await?;
    b.sql("UPDATE notes SET stars = 1").await?;
    b.sync().await?;
    world.server_becomes(Newer).await?;
    // The server has its 3 stars in the feed, and that page comes before the edit goes.
    a.sql("UPDATE notes SET text = 'oat milk'").await?;
    world.reaches(&mut a);
    world.reaches(&mut b);
    a.sync().await?;
    assert_eq!(world.agree(&[&b, &a], NOTES).await?, ["oat milk|NULL|1"]);
    Ok(())
}
