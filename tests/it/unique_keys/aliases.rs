//! A name that gave way is followed for as long as anybody may still use it.

use anyhow::Result;
use serde_json::{Value, json};
use sync_tests::{
    Fault, NOON, Scene, SceneDevice, TestDb, on_both_backends,
    scene::{USER, new_row},
};

use super::{base, lists_are};

on_both_backends!(
    uk11_children_pushed_late_under_the_losers_name,
    uk11_a_push_in_batches_that_loses_its_answers,
    uk12_also_through_a_winner_that_was_deleted,
    uk12_and_through_one_that_was_deleted_for_good,
    uk13_an_edit_of_the_loser_lands_in_the_winner,
);

/// A device made a list, learnt nothing of its new name, and sends more under the old one: its push was
/// answered, and the answer was lost on the way.
async fn loser(scene: &Scene, winner: &SceneDevice) -> Result<String> {
    let list = winner.add_list(1, "Favorites").await?;
    winner.add_item(list, "of the winner").await?;
    winner.sync().await?;
    let name = "0190a6e0-0000-7000-8000-0000000000b9";
    let profile = scene.one("SELECT remote_id FROM profiles").await?;
    let lists = json!([{"table": "lists", "rows": [new_row(name, NOON - 5_000, json!({"profile_id": profile, "name": "Favorites"}))]}]);
    let (status, answer) = scene.push_by_hand(USER, 9, 1, lists).await?;
    assert_eq!(status, 200);
    let verdict = &answer["tables"][0]["rows"][0];
    let winner = scene
        .one("SELECT remote_id FROM lists WHERE name = 'Favorites'")
        .await?;
    assert_eq!(verdict["renamed_to"], Value::String(winner));
    Ok(name.to_owned())
}

fn items(list: &str) -> Value {
    let row = |n: u8, title: &str| {
        let name = format!("0190a6e0-0000-7000-8000-0000000000c{n}");
        new_row(
            &name,
            NOON - 4_000,
            json!({"list_id": list, "meta_id": title, "type": "movie"}),
        )
    };
    json!([{"table": "list_items", "rows": [row(1, "late"), row(2, "of the winner")]}])
}

fn verdicts(answer: &Value) -> Vec<(String, Value)> {
    let rows = answer["tables"][0]["rows"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    rows.iter()
        .map(|row| {
            (
                row["verdict"].as_str().unwrap_or_default().to_owned(),
                row["code"].clone(),
            )
        })
        .collect()
}

async fn uk11_children_pushed_late_under_the_losers_name(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    let loser = loser(&scene, &a).await?;
    for push_no in 2..4 {
        // And once more, as after another lost answer.
        let (status, answer) = scene.push_by_hand(USER, 9, push_no, items(&loser)).await?;
        assert_eq!(status, 200, "{answer}");
        assert!(
            verdicts(&answer)
                .iter()
                .all(|(verdict, _)| verdict != "rejected"),
            "{answer}"
        );
    }
    lists_are(
        &scene,
        &[&a, &b, &c],
        &["Favorites: late, of the winner", "X: in-x", "Y: in-y"],
    )
    .await
}

/// The same with a real device: a row a push, and every answer is lost once.
async fn uk11_a_push_in_batches_that_loses_its_answers(db: TestDb) -> Result<()> {
    let (scene, [a, mut b, c]) = base(db).await?;
    b.limit_rows(1, 1);
    for device in [&a, &b] {
        let list = device.add_list(1, "Favorites").await?;
        for title in ["tt1", "tt2", "tt3"] {
            device
                .add_item(list, &format!("{title} of {}", device.number))
                .await?;
        }
        device.add_item(list, "common").await?;
    }
    a.sync().await?;
    for _ in 0..12 {
        b.net.on_push(Fault::LoseAnswer);
        let _ = b.sync().await;
    }
    while b.sync().await.is_err() {}
    let all = "Favorites: common, tt1 of 1, tt1 of 2, tt2 of 1, tt2 of 2, tt3 of 1, tt3 of 2";
    lists_are(&scene, &[&a, &b, &c], &[all, "X: in-x", "Y: in-y"]).await
}

/// UK12: they are deleted with it, and come back with it.
async fn uk12_also_through_a_winner_that_was_deleted(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    let loser = loser(&scene, &a).await?;
    a.at(
        -1_000,
        "UPDATE lists SET deleted_at = '2027-01-15 11:59:59' WHERE name = 'Favorites'",
    )
    .await?;
    a.sync().await?;
    let (status, answer) = scene.push_by_hand(USER, 9, 2, items(&loser)).await?;
    assert_eq!(status, 200);
    assert!(
        verdicts(&answer)
            .iter()
            .all(|(_, code)| code == "parent_deleted"),
        "{answer}"
    );
    lists_are(&scene, &[&a, &b, &c], &["X: in-x", "Y: in-y"]).await?;
    scene.pass(60_000);
    c.at(59_000, "SELECT 1").await?;
    b.at(59_000, "SELECT 1").await?;
    a.at(
        59_000,
        "UPDATE lists SET deleted_at = NULL WHERE name = 'Favorites'",
    )
    .await?;
    lists_are(
        &scene,
        &[&a, &b, &c],
        &["Favorites: late, of the winner", "X: in-x", "Y: in-y"],
    )
    .await
}

async fn uk12_and_through_one_that_was_deleted_for_good(db: TestDb) -> Result<()> {
    for at_server in [false, true] {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        let loser = loser(&scene, &a).await?;
        let delete = "DELETE FROM lists WHERE name = 'Favorites'";
        if at_server {
            scene.sql(delete).await?;
        } else {
            a.at(-1_000, delete).await?;
        }
        a.sync().await?;
        let (status, answer) = scene.push_by_hand(USER, 9, 2, items(&loser)).await?;
        assert_eq!(status, 200, "{answer}");
        assert!(
            verdicts(&answer)
                .iter()
                .all(|(verdict, _)| verdict != "rejected"),
            "{at_server}: {answer}"
        );
        lists_are(&scene, &[&a, &b, &c], &["X: in-x", "Y: in-y"]).await?;
    }
    Ok(())
}

/// An edit and then a deletion of the row by its old name.
async fn uk13_an_edit_of_the_loser_lands_in_the_winner(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    let loser = loser(&scene, &a).await?;
    let row = |register: &str, at: i64, value: Value| json!([{"table": "lists", "rows": [{"remote_id": loser, "changed": {register: at}, "row": {register: value}}]}]);
    let (_, answer) = scene
        .push_by_hand(USER, 9, 2, row("name", NOON - 100, json!("Renamed")))
        .await?;
    assert!(
        answer["tables"][0]["rows"][0]["renamed_to"].is_string(),
        "{answer}"
    );
    lists_are(
        &scene,
        &[&a, &b, &c],
        &["Renamed: of the winner", "X: in-x", "Y: in-y"],
    )
    .await?;
    scene.pass(60_000);
    let gone = row(
        "deleted_at",
        NOON + 59_000,
        json!("2027-01-15T12:00:59.000Z"),
    );
    scene.push_by_hand(USER, 9, 3, gone).await?;
    lists_are(&scene, &[&a, &b, &c], &["X: in-x", "Y: in-y"]).await
}
