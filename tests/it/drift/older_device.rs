//! An older device at a newer server: what it does not know it cannot spoil.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::{
    tables::Version::{Newer, Older},
    world::{LABELS, NOTES, TEXTS, World},
};

on_both_backends!(
    sd02_its_edits_keep_what_it_does_not_know,
    sd02_its_new_rows_get_what_the_server_says,
    sd02_its_deletes_take_along_what_it_does_not_know,
);

async fn sd02_its_edits_keep_what_it_does_not_know(db: TestDb) -> Result<()> {
    let world = World::new(db, Newer).await?;
    let (a, older) = (world.device(Newer).await?, world.device(Older).await?);
    a.sql("INSERT INTO notes (user_id, text, color, stars) VALUES ('u1', 'milk', 'red', 5)")
        .await?;
    a.sync().await?;
    older.sync().await?;
    older.sql("UPDATE notes SET text = 'oat milk'").await?;
    older
        .sql("UPDATE notes SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    older.sync().await?;
    older.sql("UPDATE notes SET deleted_at = NULL").await?;
    older.sync().await?;
    older.is_at_rest().await?;
    assert_eq!(world.agree(&[&a], NOTES).await?, ["oat milk|red|5"]);

    // So do edits of both at once.
    a.sql("UPDATE notes SET color = 'blue', text = 'x'").await?;
    older.sql("UPDATE notes SET text = 'y'").await?;
    a.sync().await?;
    older.sync().await?;
    assert_eq!(world.agree(&[&a], NOTES).await?, ["y|blue|5"]);
    assert_eq!(older.rows(TEXTS).await?, ["y"]);
    Ok(())
}

async fn sd02_its_new_rows_get_what_the_server_says(db: TestDb) -> Result<()> {
    let world = World::new(db, Newer).await?;
    let (a, older) = (world.device(Newer).await?, world.device(Older).await?);
    older
        .sql("INSERT INTO notes (user_id, text) VALUES ('u1', 'milk')")
        .await?;
    older.sync().await?;
    a.sync().await?;
    a.sql("UPDATE notes SET stars = 4").await?;
    assert_eq!(world.agree(&[&a], NOTES).await?, ["milk|NULL|4"]);
    older.sync().await?;
    older.is_at_rest().await
}

async fn sd02_its_deletes_take_along_what_it_does_not_know(db: TestDb) -> Result<()> {
    for delete in [
        "DELETE FROM notes",
        "UPDATE notes SET deleted_at = CURRENT_TIMESTAMP",
    ] {
        let world = World::new(TestDb::new(db.backend()).await?, Newer).await?;
        let (a, older) = (world.device(Newer).await?, world.device(Older).await?);
        a.sql("INSERT INTO notes (user_id, text) VALUES ('u1', 'milk')")
            .await?;
        a.sql("INSERT INTO labels (note_id, name) VALUES (1, 'food')")
            .await?;
        a.sync().await?;
        older.sync().await?;
        older.sql(delete).await?;
        older.sync().await?;
        assert_eq!(world.agree(&[&a], LABELS).await?, [""; 0]);
        let live = "SELECT name FROM labels WHERE deleted_at IS NULL";
        assert_eq!(a.rows(live).await?, [""; 0]);
        assert_eq!(world.rows(live).await?, [""; 0]);
    }
    Ok(())
}
