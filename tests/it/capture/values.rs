//! Whatever a column holds: two values that differ are an edit, and arrive as they were written.

use anyhow::Result;
use sea_orm::{ConnectionTrait, Statement, Value};
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    nothing_and_empty_are_not_the_same,
    lg04_texts_of_all_kinds,
    lg04_a_huge_text,
    numbers_of_all_sizes,
    upper_and_lower_case_are_not_the_same
);

async fn set(db: &CapturedDb, column: &str, value: impl Into<Value>) -> Result<()> {
    let sql = format!("UPDATE list_items SET {column} = $1 WHERE id = 1");
    let backend = db.db().get_database_backend();
    db.db()
        .execute_raw(Statement::from_sql_and_values(backend, sql, [value.into()]))
        .await?;
    Ok(())
}

async fn nothing_and_empty_are_not_the_same(db: CapturedDb) -> Result<()> {
    for value in ["''", "NULL", "' '", "'NULL'", "''"] {
        db.sql(&format!(
            "UPDATE list_items SET title = {value} WHERE id = 1"
        ))
        .await?;
        assert_eq!(db.pending().await?, ["list_items 1 title"], "{value}");
        db.sync().await?;
        assert_eq!(db.pending().await?, [""; 0], "{value}");
    }
    assert_eq!(elsewhere(&db).await?, "");
    Ok(())
}

async fn lg04_texts_of_all_kinds(db: CapturedDb) -> Result<()> {
    let texts = [
        "it's \"quoted\"",
        "a\\b",
        "line\nline\r\n\ttab",
        "😀👩‍👩‍👧",
        "\u{202e}ltr",
        "e\u{301}",
        "é",
        "%s $1 :a ?",
        "\u{1}\u{7f}",
    ];
    for text in texts {
        set(&db, "title", text).await?;
        assert_eq!(db.pending().await?, ["list_items 1 title"], "{text:?}");
        db.sync().await?;
        assert_eq!(db.pending().await?, [""; 0], "{text:?}");
        assert_eq!(elsewhere(&db).await?, text);
    }
    Ok(())
}

async fn lg04_a_huge_text(db: CapturedDb) -> Result<()> {
    let mut text = "0123456789".repeat(50_000);
    set(&db, "title", text.as_str()).await?;
    db.sync().await?;
    text.push('!');
    set(&db, "title", text.as_str()).await?;

    assert_eq!(db.pending().await?, ["list_items 1 title"]);
    db.sync().await?;
    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(elsewhere(&db).await?, text);
    Ok(())
}

async fn numbers_of_all_sizes(db: CapturedDb) -> Result<()> {
    for number in [0.1, 0.1 + f64::EPSILON, 1e300, -0.5, 7.0] {
        set(&db, "imdb_rating", number).await?;
        assert_eq!(
            db.pending().await?,
            ["list_items 1 imdb_rating"],
            "{number}"
        );
        db.sync().await?;
        assert_eq!(db.pending().await?, [""; 0], "{number}");
    }
    for number in [i64::MAX, i64::MAX - 1, i64::MIN, 0] {
        db.sql(&format!("UPDATE profile_addons SET priority = {number}"))
            .await?;
        assert_eq!(
            db.pending().await?,
            ["profile_addons 1 priority"],
            "{number}"
        );
        db.sync().await?;
        assert_eq!(db.pending().await?, [""; 0], "{number}");
    }
    Ok(())
}

async fn upper_and_lower_case_are_not_the_same(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE lists SET name = 'MINE'").await?;

    assert_eq!(db.pending().await?, ["lists 1 name"]);
    Ok(())
}

/// The title as a device has it that pulls it for the first time.
async fn elsewhere(db: &CapturedDb) -> Result<String> {
    let other = db.another_device(2).await?;
    other.sync().await?;
    other
        .one("SELECT title FROM list_items WHERE meta_id = 'tt1'")
        .await
}

/// SQLite keeps blobs and numbers in a column of texts. They cannot be pushed, and are not forgotten.
#[tokio::test]
async fn a_blob_in_a_column_of_texts() -> Result<()> {
    let db = CapturedDb::device().await?;
    db.sql("UPDATE list_items SET title = x'00ff' WHERE id = 1")
        .await?;
    db.sync().await?;
    assert_eq!(db.pending().await?, ["list_items 1 title"]);

    db.sql("UPDATE list_items SET title = x'00fe' WHERE id = 1")
        .await?;
    assert_eq!(db.rows("SELECT edits FROM sync_pending").await?, ["2"]);

    db.sql("UPDATE list_items SET title = 'text' WHERE id = 1")
        .await?;
    db.sync().await?;
    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(elsewhere(&db).await?, "text");
    Ok(())
}

/// What follows a NUL is part of the text.
#[tokio::test]
async fn a_text_with_a_nul_in_it() -> Result<()> {
    let db = CapturedDb::device().await?;
    db.sql("UPDATE list_items SET title = 'a' || char(0) || 'b' WHERE id = 1")
        .await?;
    db.sync().await?;
    let before = db.pending().await?;
    db.sql("UPDATE list_items SET title = 'a' || char(0) || 'c' WHERE id = 1")
        .await?;
    db.sync().await?;

    // Taken or refused, but not lost without a word.
    let here = db
        .one("SELECT hex(title) FROM list_items WHERE id = 1")
        .await?;
    let server = sync_tests::text_rows::text_row(
        &db.server().db,
        "SELECT hex(title) FROM list_items WHERE meta_id = 'tt1'",
    )
    .await?;
    assert!(
        here == server || db.pending().await? == ["list_items 1 title"],
        "{before:?} {here} {server}"
    );
    Ok(())
}

/// A column may say that its case does not matter; to a reader it does.
#[tokio::test]
async fn a_column_that_ignores_case() -> Result<()> {
    let db = CapturedDb::device().await?;
    db.sql(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_master SET sql = replace(sql, '\"title\" text', '\"title\" text COLLATE NOCASE') WHERE name = 'list_items';
         PRAGMA writable_schema = RESET",
    )
    .await?;
    assert!(
        db.one("SELECT sql FROM sqlite_master WHERE name = 'list_items'")
            .await?
            .contains("NOCASE")
    );
    db.sql("UPDATE list_items SET title = 'kids'").await?;
    db.sync().await?;

    db.sql("UPDATE list_items SET title = 'KIDS'").await?;

    assert_eq!(
        db.pending().await?,
        ["list_items 1 title", "list_items 2 title"]
    );
    Ok(())
}
