//! Rows that are deleted for good, by a statement or by a foreign key.

use anyhow::Result;
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    a_row_the_others_know_leaves_its_name,
    foreign_keys_delete_the_children_too,
    foreign_keys_set_null,
    a_deleted_row_whose_deletion_is_known_leaves_nothing,
    a_deleted_row_whose_deletion_is_pending_leaves_its_name,
    a_row_put_back_under_its_id_is_a_new_one,
    a_row_put_back_with_its_name_stays,
);

async fn a_row_the_others_know_leaves_its_name(db: CapturedDb) -> Result<()> {
    let name = db
        .one("SELECT remote_id FROM list_items WHERE id = 2")
        .await?;
    db.sql("INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'tt3', 'movie')")
        .await?;
    db.sql("UPDATE list_items SET title = 'A film' WHERE id = 2")
        .await?;

    db.sql("DELETE FROM list_items WHERE id >= 2").await?;

    assert_eq!(db.pending().await?, ["list_items 2 gone"]);
    assert_eq!(db.one("SELECT remote_id FROM sync_deleted").await?, name);
    Ok(())
}

async fn foreign_keys_delete_the_children_too(db: CapturedDb) -> Result<()> {
    db.sql("DELETE FROM profiles").await?;

    let expected = [
        "list_items 1 gone",
        "list_items 2 gone",
        "lists 1 gone",
        "profiles 1 gone",
        "watch_history 1 gone",
    ];
    assert_eq!(db.pending().await?, expected);
    db.sync().await?;
    assert_eq!(db.pending().await?, [""; 0]);
    Ok(())
}

async fn foreign_keys_set_null(db: CapturedDb) -> Result<()> {
    db.sql("DELETE FROM settings_profiles").await?;

    let expected = [
        "appearance_settings 1 gone",
        "profile_addons 1 gone",
        "profiles 1 settings_profile_id",
        "settings_profiles 1 gone",
        "stream_settings 1 gone",
    ];
    assert_eq!(db.pending().await?, expected);
    assert_eq!(
        db.one("SELECT settings_profile_id FROM profiles").await?,
        "NULL"
    );
    Ok(())
}

async fn a_deleted_row_whose_deletion_is_known_leaves_nothing(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    db.sync().await?;

    db.sql("DELETE FROM lists").await?;

    assert_eq!(db.pending().await?, [""; 0]);
    Ok(())
}

async fn a_deleted_row_whose_deletion_is_pending_leaves_its_name(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE id = 1")
        .await?;
    db.sql("DELETE FROM list_items WHERE id = 1").await?;

    assert_eq!(db.pending().await?, ["list_items 1 gone"]);
    Ok(())
}

async fn a_row_put_back_under_its_id_is_a_new_one(db: CapturedDb) -> Result<()> {
    let old = db
        .one("SELECT remote_id FROM list_items WHERE id = 1")
        .await?;
    db.sql(
        "DELETE FROM list_items WHERE id = 1;
         INSERT INTO list_items (id, list_id, meta_id, type) VALUES (1, 1, 'tt9', 'movie')",
    )
    .await?;
    assert_eq!(db.pending().await?, ["list_items 1 *", "list_items 1 gone"]);

    db.sync().await?;

    assert_eq!(db.pending().await?, [""; 0]);
    assert_ne!(
        db.one("SELECT remote_id FROM list_items WHERE id = 1")
            .await?,
        old
    );
    assert_eq!(elsewhere(&db).await?, ["tt2", "tt9"]);
    Ok(())
}

/// As a program does that copies a table out and in again.
async fn a_row_put_back_with_its_name_stays(db: CapturedDb) -> Result<()> {
    db.sql(
        "CREATE TABLE copy AS SELECT * FROM list_items;
         DELETE FROM list_items;
         INSERT INTO list_items SELECT * FROM copy",
    )
    .await?;
    db.sync().await?;

    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(
        db.rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
            .await?,
        ["tt1", "tt2"]
    );
    assert_eq!(elsewhere(&db).await?, ["tt1", "tt2"]);
    Ok(())
}

/// The items as another device has them.
async fn elsewhere(db: &CapturedDb) -> Result<Vec<String>> {
    let other = db.another_device(2).await?;
    other.sync().await?;
    other
        .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
        .await
}
