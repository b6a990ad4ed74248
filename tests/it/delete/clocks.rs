//! A deletion by a device whose clock is wrong is a deletion like any other.

use std::sync::Arc;

use anyhow::Result;
use sync_core::{ManualClock, schema::pin_clock};
use sync_tests::{NOON, TestDb, on_both_backends, scene::USER};

use super::{ALL, HALF, live, tree};

on_both_backends!(
    de17_a_deletion_with_a_clock_of_1980,
    de17_a_deletion_with_a_clock_of_2099,
    de17_a_time_of_deletion_that_a_program_made_up,
);

const IN_1980: i64 = 315_532_800_000;
const IN_2099: i64 = 4_070_908_800_000;

async fn with_clock(db: TestDb, now_ms: i64, text: &str) -> Result<()> {
    let (scene, [a, b, _]) = tree(db).await?;
    let clock = Arc::new(ManualClock::new(now_ms));
    let wrong = scene
        .device_with(USER, Arc::<ManualClock>::clone(&clock))
        .await?;
    wrong.sync().await?;
    let mut at = 0;
    let mut steps = vec![];
    for (on_wrong, table, value, expected) in [
        (true, "profiles WHERE name = 'Anna'", Some(text), HALF),
        // A right clock undoes it, and so does the wrong one.
        (false, "profiles", None, ALL),
        (true, "lists", Some(text), NO_LISTS),
        (true, "lists", None, ALL),
        (true, "lists", Some(text), NO_LISTS),
        (false, "lists", None, ALL),
    ] {
        at += 60_000;
        scene.pass(60_000);
        clock.advance(60_000);
        pin_clock(wrong.device.device.db(), Some(now_ms + at - 500)).await?;
        let value = value.map_or("NULL".to_owned(), |text| format!("'{text}'"));
        let (table, which) = table.split_once(' ').unwrap_or((table, ""));
        let sql = format!("UPDATE {table} SET deleted_at = {value} {which}");
        if on_wrong {
            wrong.sql(&sql).await?;
        } else {
            a.at(at - 500, &sql).await?;
        }
        steps.push(sql);
        scene.settled(&[&wrong, &a, &b]).await?;
        assert_eq!(live(&scene).await?, expected, "{steps:?}");
        let (from, to) = (NOON - 5_000, NOON + at + 5_000);
        let elsewhen = "SELECT count(*) FROM sync_feed WHERE";
        let sql = format!("{elsewhen} deleted_at NOT BETWEEN {from} AND {to}");
        assert_eq!(scene.one(&sql).await?, "0", "it was deleted about now");
    }
    Ok(())
}

const NO_LISTS: &str = "profiles 2, lists 0, items 0, history 2, addons 2, streams 2";

async fn de17_a_deletion_with_a_clock_of_1980(db: TestDb) -> Result<()> {
    with_clock(db, IN_1980, "1980-01-01 00:00:00").await
}

async fn de17_a_deletion_with_a_clock_of_2099(db: TestDb) -> Result<()> {
    with_clock(db, IN_2099, "2099-01-01T00:00:00Z").await
}

/// The clock is right; the time that stands in `deleted_at` is not.
async fn de17_a_time_of_deletion_that_a_program_made_up(db: TestDb) -> Result<()> {
    for text in [
        "1980-01-01 00:00:00",
        "2099-01-01T00:00:00.123Z",
        "2027-01-15T13:00:00+02:00",
    ] {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        a.at(
            -2_000,
            &format!("UPDATE profiles SET deleted_at = '{text}' WHERE name = 'Anna'"),
        )
        .await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(live(&scene).await?, HALF, "{text}");
        b.at(-1_000, "UPDATE profiles SET deleted_at = NULL")
            .await?;
        scene.settled(&[&b, &a, &c]).await?;
        assert_eq!(live(&scene).await?, ALL, "{text}");
    }
    Ok(())
}
