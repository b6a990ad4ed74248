//! SQLite keeps nanoseconds, Postgres microseconds, the wire milliseconds: nothing changes on its way.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use crate::conflict::family;

on_both_backends!(
    ck08_finer_times_settle,
    ck08_finer_times_in_the_servers_own_database,
    ck08_a_deletion_with_a_finer_time,
);

const FINE: [&str; 5] = [
    "2026-01-01T00:00:00.123456789Z",
    "2026-01-01T00:00:00.123999999Z",
    "2026-01-01 00:00:00.9999999",
    "1969-12-31T23:59:59.999999999Z",
    "2026-01-01T00:00:00.0005Z",
];

async fn ck08_finer_times_settle(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    for (number, time) in (0_i64..).zip(FINE) {
        a.at(number * 1_000 - 100_000, &format!("UPDATE watch_history SET watched_at = '{time}', position = {number}; UPDATE list_items SET created_at = '{time}'")).await?;
        scene.settled(&[&a, &b, &c]).await?;
        // Another column of the row is edited elsewhere: the time is no part of that.
        b.at(
            number * 1_000 - 99_500,
            &format!("UPDATE list_items SET title = '{number}'"),
        )
        .await?;
        b.net.forget();
        b.sync().await?;
        let row = &b.net.pushes()[0]["tables"][0]["rows"][0]["row"];
        assert_eq!(
            row,
            &serde_json::json!({"title": number.to_string()}),
            "{time}"
        );
        scene.settled(&[&b, &a, &c]).await?;
    }
    Ok(())
}

async fn ck08_finer_times_in_the_servers_own_database(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    scene
        .sql("UPDATE sync_clock SET pinned_ms = 1800014399000")
        .await?;
    for time in FINE.into_iter().filter(|time| time.ends_with('Z')) {
        scene
            .sql(&format!("UPDATE watch_history SET watched_at = '{time}'"))
            .await?;
        scene.settled(&[&a, &b, &c]).await?;
        let head = scene.head().await?;
        // A device that writes the same millisecond back changes nothing.
        let here = a.one("SELECT watched_at FROM watch_history").await?;
        a.at(
            0,
            &format!("UPDATE watch_history SET watched_at = '{here}', position = NULL"),
        )
        .await?;
        a.sync().await?;
        assert_eq!(scene.head().await?, head, "{time}");
    }
    Ok(())
}

async fn ck08_a_deletion_with_a_finer_time(db: TestDb) -> Result<()> {
    for time in ["2027-01-15T11:59:59.123456789Z", "2027-01-15 11:59:59.9996"] {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        a.at(-500, &format!("UPDATE profiles SET deleted_at = '{time}'"))
            .await?;
        scene.settled(&[&a, &b, &c]).await?;
        let live = "SELECT count(*) FROM list_items WHERE deleted_at IS NULL";
        assert_eq!(scene.one(live).await?, "0", "{time}");
        a.at(-200, "UPDATE profiles SET deleted_at = NULL").await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(
            scene.one(live).await?,
            "1",
            "{time}: by the device that deleted it"
        );
        // And by the server itself, whose children carry the time in its own form.
        a.at(-100, &format!("UPDATE profiles SET deleted_at = '{time}'"))
            .await?;
        scene.settled(&[&a, &b, &c]).await?;
        scene.sql("UPDATE profiles SET deleted_at = NULL").await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(scene.one(live).await?, "1", "{time}: by the server");
    }
    Ok(())
}
