//! A pulled row meets one of the same key that was made here and not pushed yet.

use anyhow::Result;
use sync_tests::{Fault, TestDb, on_both_backends};

use super::{base, lists_are};

on_both_backends!(
    uk14_the_local_row_takes_the_pulled_name,
    uk14_made_between_push_and_pull,
    uk14_in_pages_of_one_row,
    uk14_a_pulled_row_whose_twin_was_named_and_not_answered,
);

async fn uk14_the_local_row_takes_the_pulled_name(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    a.at(-2_000, "INSERT INTO watch_history (profile_id, meta_id, meta_type, title, poster) VALUES (1, 'tt1', 'movie', 'A', 'A');
        INSERT INTO lists (id, profile_id, name) VALUES (77, 1, 'Kids'); INSERT INTO list_items (list_id, meta_id, type) VALUES (77, 'of A', 'movie')").await?;
    a.sync().await?;
    b.at(-1_000, "INSERT INTO watch_history (profile_id, meta_id, meta_type, title) VALUES (1, 'tt1', 'movie', 'B');
        INSERT INTO lists (id, profile_id, name) VALUES (88, 1, 'Kids'); INSERT INTO list_items (list_id, meta_id, type) VALUES (88, 'of B', 'movie')").await?;
    b.pull().await?;
    let names = scene
        .rows("SELECT remote_id FROM lists WHERE name = 'Kids'")
        .await?;
    assert_eq!(
        b.rows("SELECT remote_id FROM lists WHERE name = 'Kids'")
            .await?,
        names
    );
    assert_eq!(
        b.one("SELECT id FROM lists WHERE name = 'Kids'").await?,
        "88",
        "the row keeps its id here"
    );
    assert!(
        !b.dirty().await?.is_empty(),
        "what differs is still to be pushed"
    );
    assert!(b.status().await?.quarantined.is_empty());
    lists_are(
        &scene,
        &[&b, &a, &c],
        &["Kids: of A, of B", "X: in-x", "Y: in-y"],
    )
    .await?;
    let row = a.one("SELECT title FROM watch_history").await?;
    assert_eq!(row, "B", "the later one's");
    Ok(())
}

async fn uk14_made_between_push_and_pull(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    let list = a.add_list(1, "Kids").await?;
    a.add_item(list, "of A").await?;
    a.sync().await?;
    let db = b.device.device.db().clone();
    b.net.on_pull(Fault::before(move || async move {
        use sea_orm::ConnectionTrait;
        db.execute_unprepared(
            "INSERT INTO lists (id, profile_id, name) VALUES (88, 1, 'Kids');
             INSERT INTO list_items (list_id, meta_id, type) VALUES (88, 'of B', 'movie'), (88, 'of A', 'movie')",
        )
        .await?;
        Ok(())
    }));
    b.sync().await?;
    assert!(b.pending().await?.is_empty(), "pushed by the same sync");
    lists_are(
        &scene,
        &[&b, &a, &c],
        &["Kids: of A, of B", "X: in-x", "Y: in-y"],
    )
    .await
}

async fn uk14_in_pages_of_one_row(db: TestDb) -> Result<()> {
    let (scene, [a, mut b, c]) = base(db).await?;
    b.limit_rows(1, 1);
    for device in [&a, &b] {
        for name in ["One", "Two"] {
            let list = device.add_list(1, name).await?;
            for title in ["tt1", "tt2"] {
                device.add_item(list, title).await?;
            }
        }
    }
    a.sync().await?;
    b.pull().await?;
    b.pull().await?;
    lists_are(
        &scene,
        &[&b, &a, &c],
        &["One: tt1, tt2", "Two: tt1, tt2", "X: in-x", "Y: in-y"],
    )
    .await?;
    assert_eq!(
        scene.one("SELECT count(*) FROM sync_alias").await?,
        "0",
        "nothing was pushed under another name"
    );
    Ok(())
}

/// B's push was sent and did not arrive: its row has a name, which nobody knows.
async fn uk14_a_pulled_row_whose_twin_was_named_and_not_answered(db: TestDb) -> Result<()> {
    for arrives in [false, true] {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        for device in [&a, &b] {
            let list = device.add_list(1, "Kids").await?;
            device
                .add_item(list, &format!("of {}", device.number))
                .await?;
        }
        a.sync().await?;
        b.net.on_push(if arrives {
            Fault::LoseAnswer
        } else {
            Fault::LoseRequest
        });
        assert!(b.push().await.is_err());
        b.pull().await?;
        lists_are(
            &scene,
            &[&b, &a, &c],
            &["Kids: of 1, of 2", "X: in-x", "Y: in-y"],
        )
        .await?;
    }
    Ok(())
}
