//! One device's clock jumps between its edits: its later edit is later all the same.

use std::sync::Arc;

use anyhow::Result;
use sync_core::ManualClock;
use sync_tests::{NOON, Scene, TestDb, on_both_backends, scene::USER};

use crate::conflict::family;

on_both_backends!(
    ck03_a_clock_that_jumps_between_edits,
    ck03_a_jump_between_edits_that_travel_alone,
    ck03_a_jump_between_an_edit_and_its_push,
    ck05_edits_while_the_servers_clock_is_set_back,
    ck06_edits_in_one_tick,
    ck06_an_insert_an_edit_and_a_deletion_in_one_tick,
);

const JUMPS: [i64; 6] = [
    -5_000,
    -86_400_000,
    3_600_000,
    -20_000,
    31_557_600_000,
    -1_000,
];

/// All of them in one push.
async fn ck03_a_clock_that_jumps_between_edits(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    for (number, at) in JUMPS.into_iter().enumerate() {
        a.at(at, &format!("UPDATE lists SET name = 'edit {number}'; UPDATE list_items SET title = 'edit {number}'")).await?;
    }
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(
        scene
            .one("SELECT l.name || i.title FROM lists l, list_items i")
            .await?,
        "edit 5edit 5"
    );
    Ok(())
}

/// What was edited is what the device had seen: it gives way however old the edit looks.
async fn ck03_a_jump_between_an_edit_and_its_push(db: TestDb) -> Result<()> {
    let (scene, [a, ..]) = family(db).await?;
    let clock = Arc::new(ManualClock::new(NOON));
    let b = scene
        .device_with(USER, Arc::<ManualClock>::clone(&clock))
        .await?;
    b.sync().await?;
    for (number, ms) in JUMPS.into_iter().enumerate() {
        let now = sync_core::Clock::now_ms(&*clock) - NOON;
        b.at(now, &format!("UPDATE lists SET name = 'edit {number}'; UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP"))
            .await?;
        clock.advance(ms);
        scene.settled(&[&b, &a]).await?;
        let live =
            "SELECT name || (SELECT count(*) FROM list_items WHERE deleted_at IS NULL) FROM lists";
        assert_eq!(
            a.one(live).await?,
            format!("edit {number}0"),
            "a jump of {ms} ms"
        );
        a.at(0, "UPDATE list_items SET deleted_at = NULL").await?;
        scene.settled(&[&a, &b]).await?;
    }
    Ok(())
}

/// Two devices answer each other's edits while the server's clock jumps about.
async fn ck05_edits_while_the_servers_clock_is_set_back(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    for (number, ms) in JUMPS.into_iter().enumerate() {
        scene.pass(ms);
        for device in [&a, &b] {
            let name = format!("edit {number} of {}", device.number);
            device
                .at(0, &format!("UPDATE lists SET name = '{name}'"))
                .await?;
            device.sync().await?;
            assert_eq!(scene.one("SELECT name FROM lists").await?, name, "{ms}");
            scene.settled(&[&a, &b]).await?;
        }
    }
    scene.settled(&[&a, &b, &c]).await
}

/// Each in a push of its own; another device follows, and edits in between what it has seen.
async fn ck03_a_jump_between_edits_that_travel_alone(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    for (number, at) in JUMPS.into_iter().enumerate() {
        a.at(at, &format!("UPDATE lists SET name = 'edit {number}'"))
            .await?;
        a.sync().await?;
        b.sync().await?;
        assert_eq!(
            b.one("SELECT name FROM lists").await?,
            format!("edit {number}")
        );
        b.at(
            JUMPS[5 - number],
            &format!("UPDATE lists SET name = 'of B {number}'"),
        )
        .await?;
        b.sync().await?;
        a.sync().await?;
        assert_eq!(
            a.one("SELECT name FROM lists").await?,
            format!("of B {number}")
        );
    }
    scene.settled(&[&a, &b, &c]).await
}

/// The clock does not move at all: the last value stands, whatever order the values have.
async fn ck06_edits_in_one_tick(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    for name in ["m", "z", "a", "q"] {
        a.at(-1_000, &format!("UPDATE lists SET name = '{name}'"))
            .await?;
    }
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(scene.one("SELECT name FROM lists").await?, "q");
    for name in ["z", "a", "m", "b"] {
        a.at(-1_000, &format!("UPDATE lists SET name = '{name}'"))
            .await?;
        a.sync().await?;
        assert_eq!(scene.one("SELECT name FROM lists").await?, name);
    }
    scene.settled(&[&a, &b, &c]).await
}

async fn ck06_an_insert_an_edit_and_a_deletion_in_one_tick(db: TestDb) -> Result<()> {
    for between in [false, true] {
        let scene = Scene::at_noon(TestDb::new(db.backend()).await?).await?;
        let (a, b) = scene.pair().await?;
        for sql in [
            "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'z', 'x')",
            "UPDATE profiles SET name = 'a'",
            "UPDATE profiles SET deleted_at = '2027-01-15 12:00:00'",
            "UPDATE profiles SET deleted_at = NULL",
            "UPDATE profiles SET deleted_at = '2027-01-15 12:00:00'",
            "UPDATE profiles SET deleted_at = NULL, name = 'last'",
        ] {
            a.at(0, sql).await?;
            if between {
                a.sync().await?;
            }
        }
        scene.settled(&[&a, &b]).await?;
        assert_eq!(
            b.rows("SELECT name FROM profiles WHERE deleted_at IS NULL")
                .await?,
            ["last"],
            "{between}"
        );
    }
    Ok(())
}
