//! Statements written by hand, with all that SQLite's and Postgres' own SQL can do.

use anyhow::Result;
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    one_statement_after_the_other,
    an_upsert_by_hand,
    rows_copied_from_a_query,
    a_group_of_columns_is_one_register,
    a_statement_that_changes_nothing,
    edits_of_a_new_row,
    the_engines_own_writes_are_not_captured,
);

async fn one_statement_after_the_other(db: CapturedDb) -> Result<()> {
    db.sql(
        "INSERT INTO lists (profile_id, name) VALUES (1, 'Later');
         UPDATE lists SET name = 'Ours', is_default = TRUE WHERE id = 1;
         UPDATE list_items SET title = 'A film' WHERE meta_id = 'tt1';
         DELETE FROM list_items WHERE meta_id = 'tt2'",
    )
    .await?;

    let expected = [
        "list_items 1 title",
        "list_items 2 gone",
        "lists 1 is_default",
        "lists 1 name",
        "lists 2 *",
    ];
    assert_eq!(db.pending().await?, expected);
    Ok(())
}

async fn an_upsert_by_hand(db: CapturedDb) -> Result<()> {
    let upsert = "INSERT INTO list_items (list_id, meta_id, type, title) VALUES (1, 'tt1', 'movie', 'A film')
         ON CONFLICT (list_id, meta_id) WHERE deleted_at IS NULL DO UPDATE SET title = excluded.title, dirty = FALSE";
    db.sql(upsert).await?;

    assert_eq!(db.pending().await?, ["list_items 1 title"]);
    Ok(())
}

async fn rows_copied_from_a_query(db: CapturedDb) -> Result<()> {
    db.sql("INSERT INTO lists (profile_id, name) VALUES (1, 'Copy')")
        .await?;
    db.sync().await?;
    db.sql(
        "INSERT INTO list_items (list_id, meta_id, type) SELECT 2, meta_id, type FROM list_items",
    )
    .await?;

    assert_eq!(db.pending().await?, ["list_items 3 *", "list_items 4 *"]);
    Ok(())
}

async fn a_group_of_columns_is_one_register(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE watch_history SET position = 5000, duration = 5400, is_watched = TRUE, title = 'A film'").await?;

    assert_eq!(
        db.pending().await?,
        ["watch_history 1 progress", "watch_history 1 title"]
    );
    Ok(())
}

async fn a_statement_that_changes_nothing(db: CapturedDb) -> Result<()> {
    let updated_at =
        "SELECT id, updated_at FROM lists UNION ALL SELECT id, updated_at FROM watch_history";
    let before = db.rows(updated_at).await?;

    db.sql(
        "UPDATE lists SET name = 'Mine', is_default = NULL;
         UPDATE watch_history SET position = 60, title = NULL, dirty = dirty;
         UPDATE list_items SET title = title;
         UPDATE lists SET name = 'Other' WHERE id = 99;
         DELETE FROM lists WHERE id = 99",
    )
    .await?;

    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(db.rows(updated_at).await?, before);
    Ok(())
}

async fn edits_of_a_new_row(db: CapturedDb) -> Result<()> {
    db.sql("INSERT INTO lists (profile_id, name) VALUES (1, 'Later'); UPDATE lists SET name = 'Sooner' WHERE id = 2")
        .await?;
    assert_eq!(db.pending().await?, ["lists 2 *", "lists 2 name"]);

    // Nobody else knows it: there is nothing to tell of it.
    db.sql("DELETE FROM lists WHERE id = 2").await?;
    assert_eq!(db.pending().await?, [""; 0]);
    Ok(())
}

async fn the_engines_own_writes_are_not_captured(db: CapturedDb) -> Result<()> {
    let other = db.another_device(2).await?;
    other.sync().await?;
    other
        .sql("UPDATE lists SET name = 'Ours'; UPDATE watch_history SET position = 90")
        .await?;
    other.sql("INSERT INTO lists (profile_id, name) VALUES (1, 'Later'); DELETE FROM list_items WHERE id = 1").await?;
    other.sync().await?;

    db.sync().await?;

    assert_eq!(
        db.rows("SELECT name FROM lists ORDER BY id").await?,
        ["Ours", "Later"]
    );
    assert_eq!(db.one("SELECT position FROM watch_history").await?, "90");
    assert_eq!(
        db.rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        ["tt2"]
    );
    assert_eq!(db.pending().await?, [""; 0]);
    // The guard is off again.
    db.sql("UPDATE lists SET name = 'Theirs' WHERE name = 'Ours'")
        .await?;
    assert_eq!(db.pending().await?, ["lists 1 name"]);
    Ok(())
}
