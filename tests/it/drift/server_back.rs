//! A server that was put back to an older version for a while.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::{
    tables::Version::{Newer, Older},
    world::{LABELS, NOTES, World},
};

on_both_backends!(
    sd_what_it_knows_no_longer_waits_until_it_does_again,
    sd_what_was_edited_in_its_database_meanwhile_is_fetched,
);

async fn sd_what_it_knows_no_longer_waits_until_it_does_again(db: TestDb) -> Result<()> {
    let mut world = World::new(db, Newer).await?;
    let (mut a, mut b) = (world.device(Newer).await?, world.device(Newer).await?);
    a.sql("INSERT INTO notes (user_id, text, color) VALUES ('u1', 'milk', 'red'), ('u1', 'eggs', 'white')")
        .await?;
    a.sql("INSERT INTO labels (note_id, name) VALUES (1, 'food')")
        .await?;
    world.agree(&[&a, &b], NOTES).await?;

    world.server_becomes(Older).await?;
    for member in [&mut a, &mut b] {
        world.reaches(member);
    }
    a.sql("UPDATE notes SET text = 'oat milk', color = 'blue' WHERE text = 'milk'")
        .await?;
    a.sql("UPDATE labels SET name = 'drink'").await?;
    a.sql("INSERT INTO notes (user_id, text, color) VALUES ('u1', 'tea', 'green')")
        .await?;
    b.sql("UPDATE notes SET stars = 1 WHERE text = 'eggs'")
        .await?;
    for member in [&a, &b, &a] {
        member.sync().await?;
        assert_eq!(member.status().await?.rejected, []);
    }
    // What both know goes on.
    let notes = ["eggs|white|1", "oat milk|red|3", "tea|NULL|3"];
    assert_eq!(b.rows(NOTES).await?, notes);
    assert_eq!(b.rows(LABELS).await?, ["oat milk|food"]);

    world.server_becomes(Newer).await?;
    for member in [&mut a, &mut b] {
        world.reaches(member);
    }
    let notes = world.agree(&[&a, &b], NOTES).await?;
    assert_eq!(notes, ["eggs|white|1", "oat milk|blue|3", "tea|green|3"]);
    assert_eq!(b.rows(LABELS).await?, ["oat milk|drink"]);
    Ok(())
}

/// The older version captures nothing of it.
async fn sd_what_was_edited_in_its_database_meanwhile_is_fetched(db: TestDb) -> Result<()> {
    let mut world = World::new(db, Newer).await?;
    let mut a = world.device(Newer).await?;
    a.sql("INSERT INTO notes (user_id, text, color) VALUES ('u1', 'milk', 'red')")
        .await?;
    a.sync().await?;
    world.server_becomes(Older).await?;
    world.reaches(&mut a);
    a.sync().await?;
    let edit = "UPDATE notes SET color = 'blue'";
    sea_orm::ConnectionTrait::execute_unprepared(&world.server.db, edit).await?;
    world.server_becomes(Newer).await?;
    world.reaches(&mut a);
    assert_eq!(world.agree(&[&a], NOTES).await?, ["milk|blue|3"]);
    Ok(())
}
