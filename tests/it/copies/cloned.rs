//! A database file that was copied to another machine: the same device twice, for the server.

use anyhow::Result;
use sync_tests::{Fault, SceneDevice, TestDb, on_both_backends};

use crate::conflict::family;

on_both_backends!(
    f34_both_copies_go_on_and_converge,
    f34_the_same_field_on_both_copies,
    f34_copied_in_the_middle_of_a_push,
    f34_rows_made_before_the_copy_and_after,
    f34_each_deletes_what_the_other_edits,
);

async fn in_turns(devices: &[&SceneDevice], rounds: usize) -> Result<()> {
    for _ in 0..rounds {
        for device in devices {
            // A copy that was overtaken takes up the server's count and goes on.
            device.sync().await?;
        }
    }
    Ok(())
}

async fn f34_both_copies_go_on_and_converge(db: TestDb) -> Result<()> {
    let (scene, [a, b, _]) = family(db).await?;
    let copy = scene.copy_of(&a).await?;
    for round in 0..4_i64 {
        let at = round * 10_000 - 100_000;
        a.at(at, &format!("UPDATE lists SET name = 'A{round}'; INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'a{round}', 'movie')")).await?;
        copy.at(at, &format!("UPDATE profiles SET name = 'Copy{round}'; INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'c{round}', 'movie')")).await?;
        b.at(
            at,
            &format!("UPDATE list_items SET title = 'B{round}' WHERE meta_id = 'tt1'"),
        )
        .await?;
        if round % 2 == 0 {
            in_turns(&[&a, &copy, &b], 1).await?;
        } else {
            in_turns(&[&copy, &b, &a, &copy], 1).await?;
        }
    }
    scene.settled(&[&a, &copy, &b]).await?;
    assert_eq!(
        scene
            .one("SELECT p.name || l.name FROM profiles p, lists l")
            .await?,
        "Copy3A3"
    );
    assert_eq!(scene.one("SELECT count(*) FROM list_items").await?, "9");
    Ok(())
}

/// The later edit stands, in either order, though both come from what the server takes for one device.
async fn f34_the_same_field_on_both_copies(db: TestDb) -> Result<()> {
    for (a_at, copy_at, expected) in [
        (-2_000, -1_000, "Copy"),
        (-1_000, -2_000, "A"),
        (-1_000, -1_000, "Copy"),
    ] {
        for copy_first in [false, true] {
            let (scene, [a, b, _]) = family(TestDb::new(db.backend()).await?).await?;
            let copy = scene.copy_of(&a).await?;
            a.at(a_at, "UPDATE lists SET name = 'A'").await?;
            copy.at(copy_at, "UPDATE lists SET name = 'Copy'").await?;
            let order = if copy_first { [&copy, &a] } else { [&a, &copy] };
            in_turns(&order, 2).await?;
            scene.settled(&[&a, &copy, &b]).await?;
            assert_eq!(
                scene.one("SELECT name FROM lists").await?,
                expected,
                "{a_at} {copy_at}, copy first: {copy_first}"
            );
        }
    }
    Ok(())
}

/// The copy is taken when a push was sent and its answer is lost; both send again.
async fn f34_copied_in_the_middle_of_a_push(db: TestDb) -> Result<()> {
    for arrives in [true, false] {
        for copy_first in [true, false] {
            let (scene, [a, b, _]) = family(TestDb::new(db.backend()).await?).await?;
            a.at(-3_000, "UPDATE lists SET name = 'Sent'; INSERT INTO lists (id, profile_id, name) VALUES (77, 1, 'New');
                INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'New', 'x')").await?;
            a.net.on_push(if arrives {
                Fault::LoseAnswer
            } else {
                Fault::LoseRequest
            });
            assert!(a.sync().await.is_err());
            let copy = scene.copy_of(&a).await?;
            copy.sql("UPDATE sync_state SET lease_until_ms = 0").await?;
            a.at(-2_000, "UPDATE lists SET name = 'A' WHERE id = 77")
                .await?;
            copy.at(-1_000, "UPDATE profiles SET avatar = 'copy'")
                .await?;
            let order = if copy_first { [&copy, &a] } else { [&a, &copy] };
            in_turns(&order, 2).await?;
            scene.settled(&[&a, &copy, &b]).await?;
            assert_eq!(
                scene.rows("SELECT name FROM lists ORDER BY 1").await?,
                ["A", "Sent"]
            );
            assert_eq!(
                scene
                    .rows("SELECT name || avatar FROM profiles ORDER BY 1")
                    .await?,
                ["Annacopy", "Newcopy"],
                "{arrives} {copy_first}"
            );
        }
    }
    Ok(())
}

/// What had no name yet when it was copied is told from its copy by its key only.
async fn f34_rows_made_before_the_copy_and_after(db: TestDb) -> Result<()> {
    let (scene, [a, b, _]) = family(db).await?;
    a.at(-3_000, "INSERT INTO lists (id, profile_id, name) VALUES (77, 1, 'Before'); INSERT INTO list_items (list_id, meta_id, type) VALUES (77, 'before', 'movie')").await?;
    let copy = scene.copy_of(&a).await?;
    for (device, name) in [(&a, "of A"), (&copy, "of the copy")] {
        device.at(-2_000, &format!("INSERT INTO list_items (list_id, meta_id, type) VALUES (77, '{name}', 'movie'); INSERT INTO lists (id, profile_id, name) VALUES (88, 1, '{name}')")).await?;
    }
    in_turns(&[&copy, &a], 2).await?;
    scene.settled(&[&a, &copy, &b]).await?;
    assert_eq!(
        scene
            .rows("SELECT name FROM lists ORDER BY length(name), name")
            .await?,
        ["Mine", "of A", "Before", "of the copy"]
    );
    let items = scene.rows("SELECT meta_id FROM list_items i JOIN lists l ON l.id = i.list_id WHERE l.name = 'Before' ORDER BY length(meta_id), meta_id").await?;
    assert_eq!(items, ["of A", "before", "of the copy"]);
    Ok(())
}

async fn f34_each_deletes_what_the_other_edits(db: TestDb) -> Result<()> {
    for copy_first in [true, false] {
        let (scene, [a, b, _]) = family(TestDb::new(db.backend()).await?).await?;
        let copy = scene.copy_of(&a).await?;
        a.at(-2_000, "UPDATE lists SET deleted_at = '2027-01-15 11:59:58'; UPDATE watch_history SET title = 'A'").await?;
        copy.at(-1_000, "DELETE FROM watch_history; UPDATE lists SET name = 'Copy'; INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'new', 'movie')").await?;
        let order = if copy_first { [&copy, &a] } else { [&a, &copy] };
        in_turns(&order, 2).await?;
        scene.settled(&[&a, &copy, &b]).await?;
        for table in ["lists", "list_items", "watch_history"] {
            let live = format!("SELECT count(*) FROM {table} WHERE deleted_at IS NULL");
            assert_eq!(scene.one(&live).await?, "0", "{table}");
        }
        b.at(-500, "UPDATE lists SET deleted_at = NULL").await?;
        scene.settled(&[&b, &a, &copy]).await?;
        assert_eq!(
            scene
                .one("SELECT count(*) FROM list_items WHERE deleted_at IS NULL")
                .await?,
            "2"
        );
    }
    Ok(())
}
