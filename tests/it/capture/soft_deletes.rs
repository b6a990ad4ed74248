//! Setting `deleted_at`, and what goes and comes with it.

use anyhow::Result;
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    children_go_with_their_parent_and_carry_its_stamp,
    an_undelete_brings_back_what_carries_the_stamp,
    grandchildren_go_and_come_too,
    a_reference_becomes_null,
    a_delete_undone_at_once_leaves_nothing_to_push,
);

async fn children_go_with_their_parent_and_carry_its_stamp(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE lists SET deleted_at = '2026-02-03 04:05:06'")
        .await?;

    assert_eq!(
        db.pending().await?,
        [
            "list_items 1 deleted_at",
            "list_items 2 deleted_at",
            "lists 1 deleted_at"
        ]
    );
    let stamps = db
        .rows("SELECT deleted_at FROM lists UNION SELECT deleted_at FROM list_items")
        .await?;
    assert_eq!(stamps.len(), 1, "{stamps:?}");
    Ok(())
}

async fn an_undelete_brings_back_what_carries_the_stamp(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE list_items SET deleted_at = '2026-01-01 00:00:00' WHERE meta_id = 'tt1'")
        .await?;
    db.sql("UPDATE lists SET deleted_at = '2026-02-03 04:05:06'")
        .await?;
    db.sync().await?;

    db.sql("UPDATE lists SET deleted_at = NULL").await?;

    assert_eq!(
        db.pending().await?,
        ["list_items 2 deleted_at", "lists 1 deleted_at"]
    );
    assert_eq!(live(&db, "list_items", "meta_id").await?, ["tt2"]);
    Ok(())
}

async fn grandchildren_go_and_come_too(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    for table in ["lists", "list_items", "watch_history"] {
        assert_eq!(live(&db, table, "id").await?, [""; 0], "{table}");
    }
    assert_eq!(live(&db, "settings_profiles", "id").await?, ["1"]);
    db.sync().await?;

    db.sql("UPDATE profiles SET deleted_at = NULL").await?;

    let expected = [
        "list_items 1",
        "list_items 2",
        "lists 1",
        "profiles 1",
        "watch_history 1",
    ];
    assert_eq!(
        db.pending().await?,
        expected.map(|row| format!("{row} deleted_at"))
    );
    assert_eq!(live(&db, "list_items", "meta_id").await?, ["tt1", "tt2"]);
    Ok(())
}

/// An undelete cannot know who referred to it.
async fn a_reference_becomes_null(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE settings_profiles SET deleted_at = CURRENT_TIMESTAMP")
        .await?;

    let children = [
        "appearance_settings 1",
        "profile_addons 1",
        "settings_profiles 1",
        "stream_settings 1",
    ];
    let mut expected = children.map(|row| format!("{row} deleted_at")).to_vec();
    expected.insert(2, "profiles 1 settings_profile_id".to_owned());
    assert_eq!(db.pending().await?, expected);
    assert_eq!(
        db.one("SELECT settings_profile_id FROM profiles WHERE deleted_at IS NULL")
            .await?,
        "NULL"
    );
    Ok(())
}

/// An app's hand-written delete does not ask whether the row is deleted already.
async fn a_parent_deleted_twice_still_brings_its_children_back(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE lists SET deleted_at = '2026-02-03 04:05:06'")
        .await?;
    db.sql("UPDATE lists SET deleted_at = '2026-02-03 04:05:09'")
        .await?;
    db.sync().await?;

    db.sql("UPDATE lists SET deleted_at = NULL").await?;

    assert_eq!(live(&db, "list_items", "meta_id").await?, ["tt1", "tt2"]);
    Ok(())
}

async fn a_child_whose_key_is_taken_stays_deleted(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    db.sql("INSERT INTO lists (profile_id, name) VALUES (1, 'Mine')")
        .await?;

    db.sql("UPDATE profiles SET deleted_at = NULL").await?;

    assert_eq!(live(&db, "lists", "id").await?, ["2"]);
    assert_eq!(live(&db, "watch_history", "id").await?, ["1"]);
    db.pending().await?;
    Ok(())
}

async fn a_delete_undone_at_once_leaves_nothing_to_push(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP; UPDATE lists SET deleted_at = NULL")
        .await?;

    db.sync().await?;

    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(live(&db, "list_items", "meta_id").await?, ["tt1", "tt2"]);
    Ok(())
}

async fn live(db: &CapturedDb, table: &str, column: &str) -> Result<Vec<String>> {
    db.rows(&format!(
        "SELECT {column} FROM {table} WHERE deleted_at IS NULL ORDER BY id"
    ))
    .await
}

wherever_capture_runs!(a_child_whose_key_is_taken_stays_deleted);

wherever_capture_runs!(a_parent_deleted_twice_still_brings_its_children_back);
