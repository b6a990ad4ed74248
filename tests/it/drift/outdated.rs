//! An older program on a database that a newer one has synced leaves it alone; local use goes on.

use anyhow::{Context, Result};
use sync_core::Registry;
use sync_tests::{Backend, TestDb};

use super::{
    tables::{
        Version::{Newer, Older},
        label, newer, older,
    },
    world::{LABELS, Member, NOTES, World},
};

/// A newer device, another one, and what the first was upgraded from.
async fn world() -> Result<(World, Member, Member)> {
    let world = World::new(TestDb::new(Backend::Sqlite).await?, Newer).await?;
    let (a, b) = (world.device(Newer).await?, world.device(Newer).await?);
    a.sql("INSERT INTO notes (user_id, text, color) VALUES ('u1', 'milk', 'red')")
        .await?;
    a.sql("INSERT INTO labels (note_id, name) VALUES (1, 'food')")
        .await?;
    world.agree(&[&a, &b], NOTES).await?;
    Ok((world, a, b))
}

const EVERYTHING: [&str; 5] = [
    "SELECT * FROM notes",
    "SELECT * FROM labels",
    "SELECT * FROM sync_pending",
    "SELECT * FROM sync_capture",
    "SELECT sql FROM sqlite_master ORDER BY name",
];

async fn everything(member: &Member) -> Result<Vec<Vec<String>>> {
    let mut all = Vec::new();
    for query in EVERYTHING {
        all.push(member.rows(query).await?);
    }
    all.push(vec![format!("{:?}", member.device.state().await?.cursor)]);
    Ok(all)
}

async fn refuses(member: &Member) -> Result<()> {
    let before = everything(member).await?;
    member.net.forget();
    for _ in 0..2 {
        let error = member.sync().await.err().context("it does not sync")?;
        assert_eq!(error.word(), "outdated_program");
        assert!(!error.is_retryable());
    }
    assert_eq!(member.net.requests().len(), 0, "nobody was asked");
    assert_eq!(everything(member).await?, before, "nothing was touched");
    Ok(())
}

#[tokio::test]
async fn sd07_it_does_not_sync_and_what_is_written_is_captured_all_the_same() -> Result<()> {
    let (world, a, b) = world().await?;
    let before = everything(&a).await?;
    let old = world.opens(a, Older.registry()?).await?;
    assert_eq!(
        everything(&old).await?,
        before,
        "opening it changes nothing"
    );
    refuses(&old).await?;
    // Local use goes on, by programs of either version.
    old.sql("UPDATE notes SET text = 'oat milk', color = 'blue'")
        .await?;
    old.sql("INSERT INTO notes (user_id, text) VALUES ('u1', 'tea')")
        .await?;
    old.sql("INSERT INTO labels (note_id, name) VALUES (2, 'drink')")
        .await?;
    refuses(&old).await?;

    b.sql("UPDATE notes SET stars = 5").await?;
    b.sync().await?;
    let a = world.opens(old, Newer.registry()?).await?;
    let notes = world.agree(&[&a, &b], NOTES).await?;
    assert_eq!(notes, ["oat milk|blue|5", "tea|NULL|3"]);
    assert_eq!(b.rows(LABELS).await?, ["oat milk|food", "tea|drink"]);
    Ok(())
}

#[tokio::test]
async fn sd07_so_it_is_where_it_lacks_a_whole_table() -> Result<()> {
    let (world, a, _b) = world().await?;
    let registry = Registry::builder().table::<newer::Entity>().build()?;
    let old = world.opens(a, registry).await?;
    refuses(&old).await
}

#[tokio::test]
async fn sd07_what_is_retired_on_purpose_is_no_reason() -> Result<()> {
    let (world, a, b) = world().await?;
    let retired = Registry::builder()
        .table::<older::Entity>()
        .retired_column("notes", "color")
        .retired_column("notes", "stars")
        .retired_table("labels");
    let a = world.opens(a, retired.build()?).await?;
    a.sql("UPDATE notes SET text = 'oat milk', color = 'blue'")
        .await?;
    a.sync().await?;
    a.is_at_rest().await?;
    b.sync().await?;
    assert_eq!(b.rows(NOTES).await?, ["oat milk|red|3"]);
    Ok(())
}

#[tokio::test]
async fn sd07_nor_is_what_a_migration_dropped() -> Result<()> {
    let (world, a, b) = world().await?;
    let (folder, file, number) = a.closed().await?;
    // What the triggers name goes first, as in any migration of a captured table.
    for sql in [
        "DROP TRIGGER IF EXISTS \"sync_notes_update\"",
        "DROP TABLE labels",
    ] {
        sea_orm::ConnectionTrait::execute_unprepared(&file, sql).await?;
    }
    drop(file);
    let file = folder.path().join("device.sqlite");
    let triggers =
        "SELECT 'DROP TRIGGER \"' || name || '\";' FROM sqlite_master WHERE type = 'trigger'";
    let drops = sync_tests::programs::sqlite3(&file, triggers)?;
    sync_tests::programs::sqlite3(
        &file,
        &format!(
            "{drops}\nALTER TABLE notes DROP COLUMN color; ALTER TABLE notes DROP COLUMN stars;"
        ),
    )?;
    let db = sync_tests::device::open(&format!("sqlite://{}", file.display())).await?;
    let a = world.reopened(folder, db, Older, number).await?;
    a.sql("UPDATE notes SET text = 'oat milk'").await?;
    a.sync().await?;
    b.sync().await?;
    assert_eq!(b.rows(NOTES).await?, ["oat milk|red|3"]);
    Ok(())
}

/// A label's entity is used with the newer note only.
#[tokio::test]
async fn sd07_a_program_that_is_newer_still_is_none_that_is_older() -> Result<()> {
    let (world, a, b) = world().await?;
    let newest = Registry::builder()
        .with(entity::builder())
        .table::<newer::Entity>()
        .table::<label::Entity>();
    let a = world.opens(a, newest.build()?).await?;
    a.sync().await?;
    b.sync().await?;
    Ok(())
}
