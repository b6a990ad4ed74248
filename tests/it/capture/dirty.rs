//! `dirty` says whether something is pending, whatever a program writes into it.

use anyhow::Result;
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    v9_a_program_that_sets_it,
    v9_a_program_that_clears_it,
    v9_a_program_that_writes_it_with_its_edit,
    v9_a_new_row_however_it_comes,
    v9_what_was_taken_is_clean,
);

async fn v9_a_program_that_sets_it(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE lists SET dirty = TRUE; UPDATE profiles SET dirty = TRUE")
        .await?;

    assert_eq!(db.pending().await?, [""; 0]);
    Ok(())
}

async fn v9_a_program_that_clears_it(db: CapturedDb) -> Result<()> {
    db.sql(
        "UPDATE lists SET name = 'Ours'; INSERT INTO lists (profile_id, name) VALUES (1, 'Later')",
    )
    .await?;
    for value in ["FALSE", "NULL"] {
        db.sql(&format!("UPDATE lists SET dirty = {value}")).await?;

        assert_eq!(db.pending().await?, ["lists 1 name", "lists 2 *"]);
    }
    Ok(())
}

async fn v9_a_program_that_writes_it_with_its_edit(db: CapturedDb) -> Result<()> {
    for (number, value) in ["TRUE", "FALSE", "NULL"].into_iter().enumerate() {
        db.sql(&format!("UPDATE lists SET name = 'Mine {number}', dirty = {value}, updated_at = CURRENT_TIMESTAMP"))
            .await?;
        assert_eq!(db.pending().await?, ["lists 1 name"]);

        db.sync().await?;
        assert_eq!(db.pending().await?, [""; 0]);
    }
    Ok(())
}

async fn v9_a_new_row_however_it_comes(db: CapturedDb) -> Result<()> {
    db.sql(
        "INSERT INTO lists (profile_id, name, dirty) VALUES (1, 'a', FALSE), (1, 'b', NULL), (1, 'c', TRUE);
         INSERT INTO lists (profile_id, name, dirty, updated_at) VALUES (1, 'd', FALSE, '1999-01-01 00:00:00')",
    )
    .await?;

    assert_eq!(
        db.pending().await?,
        ["lists 2 *", "lists 3 *", "lists 4 *", "lists 5 *"]
    );
    Ok(())
}

async fn v9_what_was_taken_is_clean(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE profiles SET name = 'Anne', avatar = 'b'; UPDATE lists SET deleted_at = CURRENT_TIMESTAMP").await?;
    db.sync().await?;

    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(
        db.rows("SELECT count(*) FROM list_items WHERE deleted_at IS NULL")
            .await?,
        ["0"]
    );
    Ok(())
}

/// SQLite keeps anything in any column.
#[tokio::test]
async fn v9_a_program_that_writes_no_boolean() -> Result<()> {
    let db = CapturedDb::device().await?;
    db.sql("UPDATE lists SET name = 'Ours'").await?;
    for value in ["2", "-1", "'yes'", "0.5", "x'01'", "''"] {
        db.sql(&format!(
            "UPDATE lists SET dirty = {value}; UPDATE profiles SET dirty = {value}"
        ))
        .await?;

        assert_eq!(db.pending().await?, ["lists 1 name"], "{value}");
    }
    Ok(())
}

/// The triggers write the table that they are on.
#[tokio::test]
async fn v9_holds_with_recursive_triggers() -> Result<()> {
    let db = CapturedDb::device().await?;
    db.sql("PRAGMA recursive_triggers = ON").await?;

    db.sql("UPDATE lists SET name = 'Ours', dirty = 0; UPDATE profiles SET dirty = 1")
        .await?;
    db.sql("INSERT INTO lists (profile_id, name, dirty) VALUES (1, 'Later', 0)")
        .await?;
    assert_eq!(db.pending().await?, ["lists 1 name", "lists 2 *"]);
    let edits = db.rows("SELECT edits FROM sync_pending").await?;
    assert_eq!(edits, ["1", "1"], "an edit is counted once");

    db.sql(
        "UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP; UPDATE profiles SET deleted_at = NULL",
    )
    .await?;
    db.sync().await?;
    assert_eq!(db.pending().await?, [""; 0]);
    db.sql("DELETE FROM profiles").await?;
    assert_eq!(db.pending().await?.len(), 6);
    Ok(())
}
