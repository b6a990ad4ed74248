//! SQLite's `OR` clauses, which let one statement push aside rows that it does not name.

use anyhow::Result;
use sync_tests::CapturedDb;

/// What this device, the server and a new device each have of a table. All must be the same.
async fn agreed(db: &CapturedDb, columns: &str, table: &str) -> Result<Vec<String>> {
    db.sync().await?;
    db.sync().await?;
    assert_eq!(db.pending().await?, [""; 0]);
    let query = format!("SELECT {columns} FROM {table} WHERE deleted_at IS NULL ORDER BY 1");
    let here = db.rows(&query).await?;
    let other = db.another_device(2).await?;
    other.sync().await?;
    assert_eq!(other.rows(&query).await?, here, "another device");
    assert_eq!(
        sync_tests::text_rows::text_rows(&db.server().db, &query).await?,
        here,
        "the server"
    );
    Ok(here)
}

async fn device(recursive_triggers: bool) -> Result<CapturedDb> {
    let db = CapturedDb::device().await?;
    if recursive_triggers {
        db.sql("PRAGMA recursive_triggers = ON").await?;
    }
    Ok(db)
}

macro_rules! with_and_without_recursive_triggers {
    ($($contract:ident),+ $(,)?) => {$(
        mod $contract {
            #[tokio::test]
            async fn without() -> anyhow::Result<()> {
                super::$contract(super::device(false).await?).await
            }

            #[tokio::test]
            async fn with() -> anyhow::Result<()> {
                super::$contract(super::device(true).await?).await
            }
        }
    )+};
}

with_and_without_recursive_triggers!(
    insert_or_replace_of_a_row_that_is_not_there,
    insert_or_replace_of_the_same_thing,
    insert_or_replace_with_the_rows_own_name,
    insert_or_ignore,
    update_or_ignore,
    update_or_ignore_of_some_rows,
    insert_or_replace_of_a_row_with_children,
);

async fn insert_or_replace_of_a_row_that_is_not_there(db: CapturedDb) -> Result<()> {
    db.sql("INSERT OR REPLACE INTO list_items (list_id, meta_id, type) VALUES (1, 'tt3', 'movie')")
        .await?;

    assert_eq!(db.pending().await?, ["list_items 3 *"]);
    assert_eq!(
        agreed(&db, "meta_id", "list_items").await?,
        ["tt1", "tt2", "tt3"]
    );
    Ok(())
}

async fn insert_or_replace_of_the_same_thing(db: CapturedDb) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO list_items (list_id, meta_id, type, title) VALUES (1, 'tt1', 'movie', 'A film')";
    db.sql(sql).await?;

    let expected = ["tt1|A film", "tt2|NULL"];
    assert_eq!(agreed(&db, "meta_id, title", "list_items").await?, expected);
    Ok(())
}

async fn insert_or_replace_with_the_rows_own_name(db: CapturedDb) -> Result<()> {
    let name = db
        .one("SELECT remote_id FROM list_items WHERE id = 1")
        .await?;
    let sql = "INSERT OR REPLACE INTO list_items (id, list_id, meta_id, type, title, remote_id)
        SELECT id, list_id, meta_id, type, 'A film', remote_id FROM list_items WHERE id = 1";
    db.sql(sql).await?;

    assert_eq!(
        agreed(&db, "meta_id, title", "list_items").await?,
        ["tt1|A film", "tt2|NULL"]
    );
    assert_eq!(
        db.one("SELECT remote_id FROM list_items WHERE id = 1")
            .await?,
        name
    );
    Ok(())
}

async fn insert_or_replace_by_id_makes_another_thing_of_it(db: CapturedDb) -> Result<()> {
    db.sql("INSERT OR REPLACE INTO list_items (id, list_id, meta_id, type) VALUES (1, 1, 'tt9', 'movie')").await?;

    assert_eq!(agreed(&db, "meta_id", "list_items").await?, ["tt2", "tt9"]);
    Ok(())
}

/// A profile has no natural key, so the server cannot see that it is the same.
async fn insert_or_replace_of_a_root_row(db: CapturedDb) -> Result<()> {
    db.sql("PRAGMA foreign_keys = OFF").await?;
    db.sql(
        "INSERT OR REPLACE INTO profiles (id, user_id, name, avatar) VALUES (1, 'u1', 'Anne', 'b')",
    )
    .await?;
    db.sql("PRAGMA foreign_keys = ON").await?;

    assert_eq!(agreed(&db, "name, avatar", "profiles").await?, ["Anne|b"]);
    Ok(())
}

async fn insert_or_replace_pushes_a_row_aside(db: CapturedDb) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO list_items (id, list_id, meta_id, type) VALUES (1, 1, 'tt2', 'movie')";
    db.sql(sql).await?;
    assert_eq!(
        db.rows("SELECT id, meta_id FROM list_items").await?,
        ["1|tt2"]
    );

    assert_eq!(agreed(&db, "meta_id", "list_items").await?, ["tt2"]);
    Ok(())
}

async fn update_or_replace_pushes_a_row_aside(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE OR REPLACE list_items SET meta_id = 'tt2' WHERE meta_id = 'tt1'")
        .await?;
    assert_eq!(
        db.rows("SELECT id, meta_id FROM list_items").await?,
        ["1|tt2"]
    );

    assert_eq!(agreed(&db, "meta_id", "list_items").await?, ["tt2"]);
    Ok(())
}

async fn insert_or_ignore(db: CapturedDb) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO list_items (list_id, meta_id, type, title)
        VALUES (1, 'tt1', 'movie', 'ignored'), (1, 'tt3', 'movie', 'taken')";
    db.sql(sql).await?;

    let new = db
        .one("SELECT id FROM list_items WHERE meta_id = 'tt3'")
        .await?;
    assert_eq!(db.pending().await?, [format!("list_items {new} *")]);
    // What the statement says of conflicts is not for the triggers' own tables.
    db.sql("UPDATE OR IGNORE list_items SET title = 'once'; UPDATE OR IGNORE list_items SET title = 'twice'").await?;
    let edits = db
        .rows("SELECT row_id, register, edits FROM sync_pending ORDER BY 1, 2")
        .await?;
    assert_eq!(
        edits,
        [
            "1|title|2".to_owned(),
            "2|title|2".to_owned(),
            format!("{new}|*|1"),
            format!("{new}|title|2")
        ]
    );
    Ok(())
}

async fn update_or_ignore(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE OR IGNORE list_items SET meta_id = 'tt2' WHERE meta_id = 'tt1'")
        .await?;

    assert_eq!(db.pending().await?, [""; 0]);
    Ok(())
}

async fn update_or_ignore_of_some_rows(db: CapturedDb) -> Result<()> {
    db.sql("UPDATE OR IGNORE list_items SET meta_id = 'tt5'")
        .await?;

    assert_eq!(db.pending().await?, ["list_items 1 meta_id"]);
    assert_eq!(agreed(&db, "meta_id", "list_items").await?, ["tt2", "tt5"]);
    Ok(())
}

/// `ON DELETE CASCADE` takes the children of the row that is pushed aside.
async fn insert_or_replace_of_a_row_with_children(db: CapturedDb) -> Result<()> {
    db.sql("INSERT OR REPLACE INTO lists (id, profile_id, name) VALUES (1, 1, 'Mine')")
        .await?;
    assert_eq!(db.rows("SELECT id FROM list_items").await?, [""; 0]);

    assert_eq!(agreed(&db, "name", "lists").await?, ["Mine"]);
    assert_eq!(agreed(&db, "meta_id", "list_items").await?, [""; 0]);
    Ok(())
}

with_and_without_recursive_triggers!(insert_or_replace_by_id_makes_another_thing_of_it);

with_and_without_recursive_triggers!(insert_or_replace_of_a_root_row);

with_and_without_recursive_triggers!(insert_or_replace_pushes_a_row_aside);

with_and_without_recursive_triggers!(update_or_replace_pushes_a_row_aside);

/// Where nobody enforces foreign keys, what belongs to the row under its id goes on belonging to it.
#[tokio::test]
async fn the_children_of_a_replaced_row_stay_where_nothing_deletes_them() -> Result<()> {
    let db = device(false).await?;
    let name = db.one("SELECT remote_id FROM lists").await?;
    db.sql("PRAGMA foreign_keys = OFF").await?;
    db.sql("INSERT OR REPLACE INTO lists (id, profile_id, name) VALUES (1, 1, 'Ours')")
        .await?;
    db.sql("PRAGMA foreign_keys = ON").await?;

    assert_eq!(db.pending().await?, ["lists 1 *"]);
    assert_eq!(agreed(&db, "name", "lists").await?, ["Ours"]);
    assert_eq!(agreed(&db, "meta_id", "list_items").await?, ["tt1", "tt2"]);
    assert_eq!(db.one("SELECT remote_id FROM lists").await?, name);
    Ok(())
}

/// What an upsert or an ignored row found in its way was not replaced, then or later.
#[tokio::test]
async fn a_row_that_was_only_in_the_way_is_not_taken_for_replaced() -> Result<()> {
    let key = "(list_id, meta_id) WHERE deleted_at IS NULL";
    let insert = "INSERT INTO list_items (list_id, meta_id, type, title) VALUES (1, 'tt1', 'movie', 'A film')";
    for (statement, pending) in [
        (
            format!("{insert} ON CONFLICT {key} DO UPDATE SET title = excluded.title"),
            1,
        ),
        (format!("{insert} ON CONFLICT {key} DO NOTHING"), 0),
        (insert.replace("INSERT", "INSERT OR IGNORE"), 0),
        (
            "UPDATE OR IGNORE list_items SET meta_id = 'tt1' WHERE meta_id = 'tt2'".to_owned(),
            0,
        ),
    ] {
        let db = device(false).await?;
        db.sql(&statement).await?;
        assert_eq!(db.pending().await?.len(), pending, "{statement}");
        db.sql("DELETE FROM list_items WHERE id = 1").await?;
        db.sync().await?;
        assert_eq!(db.pending().await?, [""; 0], "{statement}");

        db.sql("INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'tt5', 'movie')")
            .await?;
        db.sql("UPDATE list_items SET list_id = list_id, meta_id = 'tt6' WHERE id = 2")
            .await?;
        let gone = db.rows("SELECT row_id FROM sync_deleted").await?;
        assert_eq!(gone, [""; 0], "{statement}");
        assert_eq!(db.pending().await?.len(), 2, "{statement}");
    }
    Ok(())
}
