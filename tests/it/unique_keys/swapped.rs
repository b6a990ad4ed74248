//! Two rows trade their keys.

use anyhow::Result;
use sync_tests::{ORDERS, SceneDevice, TestDb, on_both_backends, scene_time::sync_in};

use super::{base, lists_are};

on_both_backends!(
    uk16_two_names_are_swapped_in_one_push,
    uk16_also_where_a_page_has_one_row,
    uk16_also_where_a_push_has_one_row,
    uk16_three_names_go_round,
    uk16_two_devices_swap_the_same_names,
    uk16_two_devices_take_each_others_name,
    uk16_rows_of_other_tables_trade_places,
);

async fn swap(device: &SceneDevice, at: i64) -> Result<()> {
    for (step, (from, to)) in (0_i64..).zip([("X", "T"), ("Y", "X"), ("T", "Y")]) {
        let sql = format!("UPDATE lists SET name = '{to}' WHERE name = '{from}'");
        device.at(at + step, &sql).await?;
    }
    Ok(())
}

const SWAPPED: [&str; 2] = ["X: in-y", "Y: in-x"];

async fn uk16_two_names_are_swapped_in_one_push(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    swap(&a, -3_000).await?;
    a.sync().await?;
    // B knows nothing of it and edits both.
    b.at(-2_000, "UPDATE lists SET is_default = 0").await?;
    lists_are(&scene, &[&b, &a, &c], &SWAPPED).await?;
    swap(&c, -1_000).await?;
    lists_are(&scene, &[&c, &b, &a], &["X: in-x", "Y: in-y"]).await
}

async fn uk16_also_where_a_page_has_one_row(db: TestDb) -> Result<()> {
    let (scene, [a, mut b, c]) = base(db).await?;
    b.limit_rows(1_000, 1);
    swap(&a, -3_000).await?;
    a.sync().await?;
    lists_are(&scene, &[&b, &a, &c], &SWAPPED).await
}

/// A row a push: the first of the two finds its key taken. Nothing is lost, and all agree.
async fn uk16_also_where_a_push_has_one_row(db: TestDb) -> Result<()> {
    let (scene, [mut a, b, c]) = base(db).await?;
    a.limit_rows(1, 1);
    swap(&a, -3_000).await?;
    a.sync().await?;
    scene.settled(&[&a, &b, &c]).await?;
    let names = scene.rows("SELECT name FROM lists ORDER BY 1").await?;
    assert!(names == ["X", "Y"] || names == ["X", "Y (2)"], "{names:?}");
    let titles = scene.rows("SELECT l.name FROM lists l JOIN list_items i ON i.list_id = l.id WHERE i.meta_id = 'in-y'").await?;
    assert_eq!(titles, ["X"]);
    Ok(())
}

async fn uk16_three_names_go_round(db: TestDb) -> Result<()> {
    let (scene, [a, mut b, c]) = base(db).await?;
    b.limit_rows(1_000, 1);
    a.at(
        -9_000,
        "INSERT INTO lists (profile_id, name) VALUES (1, 'Z')",
    )
    .await?;
    scene.settled(&[&a, &b, &c]).await?;
    for (step, (from, to)) in (0_i64..).zip([("Z", "T"), ("Y", "Z"), ("X", "Y"), ("T", "X")]) {
        a.at(
            step - 3_000,
            &format!("UPDATE lists SET name = '{to}' WHERE name = '{from}'"),
        )
        .await?;
    }
    a.sync().await?;
    lists_are(&scene, &[&b, &a, &c], &["X: ", "Y: in-x", "Z: in-y"]).await
}

async fn uk16_two_devices_swap_the_same_names(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        swap(&a, -3_000).await?;
        swap(&b, -2_000).await?;
        c.at(-1_000, "UPDATE lists SET is_default = 0").await?;
        sync_in(&order, &[&a, &b, &c]).await?;
        lists_are(&scene, &[&a, &b, &c], &SWAPPED).await?;
    }
    Ok(())
}

/// A gives X the name of Y, which it renamed; B the other way round. What wins of both would swap them.
async fn uk16_two_devices_take_each_others_name(db: TestDb) -> Result<()> {
    for order in [[0, 1], [1, 0]] {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        let (from_a, from_b) = ([("Y", "Z"), ("X", "Y")], [("X", "W"), ("Y", "X")]);
        for (device, times, steps) in [
            (&a, [-9_000, -1_000], from_a),
            (&b, [-8_000, -2_000], from_b),
        ] {
            for (at, (from, to)) in times.into_iter().zip(steps) {
                device
                    .at(
                        at,
                        &format!("UPDATE lists SET name = '{to}' WHERE name = '{from}'"),
                    )
                    .await?;
            }
        }
        sync_in(&order, &[&a, &b]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        let there = scene.rows("SELECT l.name || i.meta_id FROM lists l JOIN list_items i ON i.list_id = l.id ORDER BY 1").await?;
        assert_eq!(there, ["Xin-y", "Yin-x"], "{order:?}");
    }
    Ok(())
}

/// Keys of numbers and references are traded, too: episodes, and titles of two lists.
async fn uk16_rows_of_other_tables_trade_places(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    a.at(-9_000, "INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, title) VALUES
        (1, 'tt1', 'series', 1, 1, 'one'), (1, 'tt1', 'series', 1, 2, 'two');
        INSERT INTO list_items (list_id, meta_id, type, title) VALUES (1, 'both', 'movie', 'of X'), (2, 'both', 'movie', 'of Y')").await?;
    scene.settled(&[&a, &b, &c]).await?;
    for (step, sql) in (0_i64..).zip([
        "UPDATE watch_history SET episode = 99 WHERE title = 'one'",
        "UPDATE watch_history SET episode = 1 WHERE title = 'two'",
        "UPDATE watch_history SET episode = 2 WHERE title = 'one'",
        "UPDATE list_items SET meta_id = 'parked' WHERE title = 'of X'",
        "UPDATE list_items SET list_id = 1 WHERE title = 'of Y'",
        "UPDATE list_items SET list_id = 2, meta_id = 'both' WHERE title = 'of X'",
    ]) {
        a.at(step - 3_000, sql).await?;
    }
    a.sync().await?;
    scene.settled(&[&a, &b, &c]).await?;
    let episodes = scene
        .rows("SELECT title || episode FROM watch_history WHERE deleted_at IS NULL ORDER BY 1")
        .await?;
    assert_eq!(episodes, ["one2", "two1"]);
    for device in [&a, &b, &c] {
        let titles = device
            .rows(
                "SELECT l.name, i.title FROM list_items i JOIN lists l ON l.id = i.list_id
            WHERE i.meta_id = 'both' AND i.deleted_at IS NULL ORDER BY 1",
            )
            .await?;
        assert_eq!(titles, ["X|of Y", "Y|of X"]);
    }
    Ok(())
}
