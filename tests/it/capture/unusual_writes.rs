//! Writes that no program should make, and that some will.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_tests::{
    Backend, CapturedDb, captured_db::Place, text_rows::text_rows, wherever_capture_runs,
};

/// What all replicas have, if they have the same.
async fn agreed(db: &CapturedDb, query: &str) -> Result<Vec<String>> {
    let other = db.another_device(2).await?;
    db.sync().await?;
    other.sync().await?;
    db.sync().await?;
    let here = db.rows(query).await?;
    assert_eq!(other.rows(query).await?, here, "another device");
    assert_eq!(text_rows(&db.server().db, query).await?, here, "the server");
    assert_eq!(db.pending().await?, [""; 0]);
    Ok(here)
}

const PROFILES: &str = "SELECT name FROM profiles WHERE deleted_at IS NULL ORDER BY 1";

/// As an application does that has its own idea of logging out.
async fn a_program_that_forgets_names_makes_no_second_row(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE profiles SET remote_id = NULL, dirty = TRUE")
        .await?;
    db.sql("UPDATE profiles SET name = 'Anne'").await?;

    assert_eq!(agreed(&db, PROFILES).await?, ["Anne"]);
    Ok(())
}

async fn a_program_that_makes_up_names_makes_no_second_row(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE profiles SET remote_id = '17'").await?;
    db.sql("UPDATE profiles SET name = 'Anne'").await?;

    assert_eq!(agreed(&db, PROFILES).await?, ["Anne"]);
    Ok(())
}

async fn a_row_that_gets_another_id_stays_the_same_row(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE list_items SET title = 'before' WHERE id = 1")
        .await?;
    db.sql("UPDATE list_items SET id = 77 WHERE id = 1").await?;
    db.sql("UPDATE list_items SET poster = 'after' WHERE id = 77")
        .await?;

    let items = "SELECT meta_id, title, poster FROM list_items WHERE deleted_at IS NULL ORDER BY 1";
    assert_eq!(
        agreed(&db, items).await?,
        ["tt1|before|after", "tt2|NULL|NULL"]
    );
    Ok(())
}

/// With its edits of the same statement, and with those of before; what was taken stays taken.
async fn a_row_that_gets_another_id_and_a_value_at_once(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE list_items SET title = 'before' WHERE id = 1")
        .await?;
    db.sql("UPDATE list_items SET id = 77, title = 'after', dirty = FALSE WHERE id = 1")
        .await?;
    assert_eq!(db.pending().await?, ["list_items 77 title"]);
    let edits = "SELECT base, edits FROM sync_pending";
    assert_eq!(db.one(edits).await?, "NULL|2");

    db.sync().await?;
    db.sql("UPDATE list_items SET id = 78, dirty = TRUE WHERE id = 77")
        .await?;
    assert_eq!(db.pending().await?, [""; 0]);
    db.sql("DELETE FROM list_items WHERE id = 78").await?;
    let items = "SELECT meta_id FROM list_items WHERE deleted_at IS NULL";
    assert_eq!(agreed(&db, items).await?, ["tt2"]);
    Ok(())
}

wherever_capture_runs!(a_row_that_gets_another_id_and_a_value_at_once);

/// TRUNCATE fires no row trigger: it is either captured all the same, or refused.
#[tokio::test]
async fn a_truncate_is_not_overlooked() -> Result<()> {
    let db = CapturedDb::at(Place::Server(Backend::Postgres)).await?;
    let truncated = db.db().execute_unprepared("TRUNCATE list_items").await;

    let items = "SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1";
    let expected: &[&str] = if truncated.is_ok() {
        &[]
    } else {
        &["tt1", "tt2"]
    };
    assert_eq!(agreed(&db, items).await?, expected);
    Ok(())
}

wherever_capture_runs!(a_program_that_forgets_names_makes_no_second_row);

wherever_capture_runs!(a_program_that_makes_up_names_makes_no_second_row);

wherever_capture_runs!(a_row_that_gets_another_id_stays_the_same_row);
