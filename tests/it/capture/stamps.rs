//! The time of an edit comes from the database's clock, and never goes back for a row.

use anyhow::Result;
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    the_stamp_is_the_time_of_the_edit,
    ck02_a_clock_that_steps_back_does_not_take_a_row_with_it,
    the_last_edit_counts,
    what_a_program_writes_into_updated_at_is_not_believed,
    a_row_without_a_time_can_be_edited,
    edits_are_counted,
);

/// Later than the rows of the fixture were made.
const NOON: i64 = 4_000_000_000_123;

async fn stamps(db: &CapturedDb) -> Result<Vec<String>> {
    db.rows("SELECT tbl, row_id, register, edited_at FROM sync_pending ORDER BY 1, 2, 3")
        .await
}

/// `updated_at` of the list, in milliseconds.
async fn updated_at(db: &CapturedDb) -> Result<i64> {
    let millis = if db.is_postgres() {
        "CAST(extract(epoch FROM updated_at) * 1000 AS BIGINT)"
    } else {
        "CAST(round((julianday(updated_at) - 2440587.5) * 86400000.0) AS INTEGER)"
    };
    Ok(db
        .one(&format!("SELECT {millis} FROM lists WHERE id = 1"))
        .await?
        .parse()?)
}

async fn the_stamp_is_the_time_of_the_edit(db: CapturedDb) -> Result<()> {
    db.pin(NOON).await?;
    db.sql(
        "UPDATE lists SET name = 'Ours'; INSERT INTO lists (profile_id, name) VALUES (1, 'Later')",
    )
    .await?;

    assert_eq!(
        stamps(&db).await?,
        [format!("lists|1|name|{NOON}"), format!("lists|2|*|{NOON}")]
    );
    assert_eq!(updated_at(&db).await?, NOON);
    Ok(())
}

async fn ck02_a_clock_that_steps_back_does_not_take_a_row_with_it(db: CapturedDb) -> Result<()> {
    db.pin(NOON).await?;
    db.sql("UPDATE lists SET name = 'Ours'").await?;
    db.pin(1_000).await?;
    db.sql("UPDATE lists SET is_default = TRUE").await?;
    db.sql("UPDATE lists SET name = 'Mine'").await?;

    let expected = [
        format!("lists|1|is_default|{}", NOON + 1),
        format!("lists|1|name|{}", NOON + 2),
    ];
    assert_eq!(stamps(&db).await?, expected);
    assert_eq!(updated_at(&db).await?, NOON + 2);
    Ok(())
}

async fn the_last_edit_counts(db: CapturedDb) -> Result<()> {
    for (minute, name) in ["Ours", "Theirs", "His"].into_iter().enumerate() {
        db.pin(NOON + 60_000 * i64::try_from(minute)?).await?;
        db.sql(&format!("UPDATE lists SET name = '{name}'")).await?;
    }

    assert_eq!(
        stamps(&db).await?,
        [format!("lists|1|name|{}", NOON + 120_000)]
    );
    Ok(())
}

/// Neither when it comes with an edit nor when it comes alone does it make one.
async fn what_a_program_writes_into_updated_at_is_not_believed(db: CapturedDb) -> Result<()> {
    db.pin(NOON).await?;
    db.sql("UPDATE lists SET updated_at = '1999-01-01 00:00:00'")
        .await?;
    assert_eq!(db.pending().await?, [""; 0]);

    db.sql("UPDATE lists SET name = 'Ours', updated_at = '2199-01-01 00:00:00'")
        .await?;

    assert_eq!(stamps(&db).await?, [format!("lists|1|name|{NOON}")]);
    assert_eq!(updated_at(&db).await?, NOON);
    Ok(())
}

async fn a_row_without_a_time_can_be_edited(db: CapturedDb) -> Result<()> {
    db.pin(NOON).await?;
    db.sql("UPDATE lists SET updated_at = NULL").await?;
    db.sql("UPDATE lists SET name = 'Ours'").await?;

    assert_eq!(stamps(&db).await?, [format!("lists|1|name|{NOON}")]);
    Ok(())
}

async fn edits_are_counted(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE lists SET name = 'a'; UPDATE lists SET name = 'b', is_default = TRUE")
        .await?;
    db.sql("UPDATE lists SET name = 'b'; UPDATE lists SET name = 'c'")
        .await?;

    let edits = db
        .rows("SELECT register, edits, sent FROM sync_pending ORDER BY 1")
        .await?;
    assert_eq!(edits, ["is_default|1|0", "name|3|0"]);
    Ok(())
}

/// SQLite keeps anything in a column of times.
#[tokio::test]
async fn a_time_that_is_none_does_not_stop_an_edit() -> Result<()> {
    let db = CapturedDb::device().await?;
    db.pin(NOON).await?;
    for (number, garbage) in [
        "''",
        "'soon'",
        "x'00'",
        "9e99",
        "1767323045678",
        "'9999-12-31T23:59:59Z'",
    ]
    .iter()
    .enumerate()
    {
        db.sql(&format!("UPDATE lists SET updated_at = {garbage}"))
            .await?;
        db.sql(&format!("UPDATE lists SET name = 'Mine {number}'"))
            .await?;

        assert_eq!(db.pending().await?, ["lists 1 name"], "{garbage}");
        assert_ne!(
            db.one("SELECT updated_at FROM lists").await?,
            "NULL",
            "{garbage}"
        );
        db.sync().await?;
        assert_eq!(db.pending().await?, [""; 0], "{garbage}");
    }
    Ok(())
}

/// An edit of a day in which the clock is an hour back is not older than the one of this morning.
#[tokio::test]
async fn an_edit_after_a_pull_is_later_than_what_was_pulled() -> Result<()> {
    let db = CapturedDb::device().await?;
    let other = db.another_device(2).await?;
    other.sync().await?;
    other.sql("UPDATE lists SET name = 'Ours'").await?;
    other.sync().await?;
    db.sync().await?;
    let pulled = updated_at(&db).await?;

    db.pin(1_000).await?;
    db.sql("UPDATE lists SET name = 'Theirs'").await?;

    assert_eq!(stamps(&db).await?, [format!("lists|1|name|{}", pulled + 1)]);
    Ok(())
}
