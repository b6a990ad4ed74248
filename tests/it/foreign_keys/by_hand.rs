//! Pushes written by hand: in what order tables stand, and where references may lead.

use anyhow::Result;
use serde_json::{Value, json};
use sync_tests::{
    Scene, TestDb, on_both_backends,
    scene::{USER, new_row},
};

const PROFILE: &str = "0190a6e0-0000-7000-8000-0000000000a1";
const LIST: &str = "0190a6e0-0000-7000-8000-0000000000b1";
const ITEM: &str = "0190a6e0-0000-7000-8000-0000000000c1";
const STRANGER: &str = "0190a6e0-0000-7000-8000-0000000000ff";

async fn fk01_tables_may_stand_in_any_order(db: TestDb) -> Result<()> {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let scene = Scene::new(db).await?;
    for (push_no, order) in (1..).zip(orders) {
        let family = family_of(&format!("0190a6e0-0000-7000-800{push_no}"));
        let tables = order.map(|number| family[number].clone());
        let (status, answer) = scene.push_by_hand(USER, 1, push_no, json!(tables)).await?;
        assert_eq!(status, 200, "{order:?}: {answer}");
        for (number, part) in order.into_iter().enumerate() {
            let verdicts = &answer["tables"][number];
            assert_eq!(verdicts["table"], family[part]["table"], "{order:?}");
            assert_eq!(
                verdicts["rows"][0]["verdict"], "applied",
                "{order:?}: {answer}"
            );
        }
    }
    let b = scene.device().await?;
    scene.settled(&[&b]).await?;
    assert_eq!(
        b.rows("SELECT id FROM list_items").await?.len(),
        orders.len()
    );
    Ok(())
}

async fn fk03_a_child_that_comes_before_its_parent_is_taken_after_it(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let [profile, list, item] = family();
    for (push_no, table, verdict) in [
        (1, &item, "rejected"),
        (2, &list, "rejected"),
        (3, &profile, "applied"),
        (4, &item, "rejected"),
    ] {
        let (_, answer) = scene.push_by_hand(USER, 1, push_no, json!([table])).await?;
        let row = &answer["tables"][0]["rows"][0];
        assert_eq!(row["verdict"], verdict, "push {push_no}: {answer}");
        if verdict == "rejected" {
            assert_eq!(row["code"], "unknown_parent", "push {push_no}: {answer}");
        }
    }
    let (_, answer) = scene.push_by_hand(USER, 1, 5, json!([item, list])).await?;
    assert_eq!(
        answer["tables"][0]["rows"][0]["verdict"], "applied",
        "{answer}"
    );
    let b = scene.device().await?;
    scene.settled(&[&b]).await
}

/// Another account's row is as unknown as one that nobody has.
async fn fk05_a_row_of_another_account_is_an_unknown_parent(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    scene.server.add_user("u2").await?;
    scene.push_by_hand("u2", 7, 1, json!(family())).await?;
    let theirs = scene.account("u2").await?;

    let mut answers = Vec::new();
    for (push_no, parent) in [(1, PROFILE), (2, STRANGER)] {
        let list = new_row(
            &STRANGER.replace("ff", "fe"),
            1,
            json!({"profile_id": parent, "name": "Mine"}),
        );
        let (_, answer) = scene
            .push_by_hand(
                USER,
                1,
                push_no,
                json!([{"table": "lists", "rows": [list]}]),
            )
            .await?;
        answers.push(answer["tables"].clone());
    }
    assert_eq!(
        answers[0][0]["rows"][0]["code"], "unknown_parent",
        "{answers:?}"
    );
    assert_eq!(answers[0], answers[1], "one cannot be told from the other");
    assert_eq!(scene.account("u2").await?, theirs);

    // A known row cannot be moved there either.
    let own = family_of("0190a6e0-0000-7000-8001");
    scene.push_by_hand(USER, 1, 3, json!(own)).await?;
    let list = own[1]["rows"][0]["remote_id"].clone();
    let moved =
        json!({"remote_id": list, "changed": {"profile_id": 5}, "row": {"profile_id": PROFILE}});
    let (_, answer) = scene
        .push_by_hand(USER, 1, 4, json!([{"table": "lists", "rows": [moved]}]))
        .await?;
    assert_eq!(
        answer["tables"][0]["rows"][0]["code"], "unknown_parent",
        "{answer}"
    );
    assert_eq!(scene.account("u2").await?, theirs);
    Ok(())
}

/// A parent that is only named as such, in a column for rows of another table.
async fn fk05_a_parent_of_another_table_is_unknown(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    scene.push_by_hand(USER, 1, 1, json!(family())).await?;
    let list = new_row(STRANGER, 1, json!({"profile_id": LIST, "name": "Odd"}));
    let (_, answer) = scene
        .push_by_hand(USER, 1, 2, json!([{"table": "lists", "rows": [list]}]))
        .await?;
    assert_eq!(
        answer["tables"][0]["rows"][0]["code"], "unknown_parent",
        "{answer}"
    );
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "1");
    Ok(())
}

async fn fk03_a_child_without_any_parent_is_refused(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    scene.push_by_hand(USER, 1, 1, json!(family())).await?;
    let addon = json!({"manifest_url": "https://a.test/manifest.json", "name": "A"});
    for (number, (table, row)) in [
        ("lists", json!({"profile_id": null, "name": "L"})),
        ("lists", json!({"name": "L"})),
        (
            "appearance_settings",
            json!({"settings_profile_id": null, "show_imdb_ratings": true}),
        ),
        ("stream_settings", json!({"config": "{}"})),
        (
            "profile_addons",
            json!({"addon_id": addon, "enabled": true}),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let tables = json!([{"table": table, "rows": [new_row(STRANGER, 1, row)]}]);
        let (status, answer) = scene
            .push_by_hand(USER, 1, i64::try_from(number)? + 2, tables)
            .await?;
        assert_eq!(status, 200, "{table}: {answer}");
        assert_eq!(
            answer["tables"][0]["rows"][0]["verdict"], "rejected",
            "{table}: {answer}"
        );
    }
    assert_eq!(scene.one("SELECT count(*) FROM sync_feed").await?, "3");
    Ok(())
}

/// A profile, a list of it and an item of that, tables with one row each.
fn family() -> [Value; 3] {
    family_of("0190a6e0-0000-7000-8000")
}

fn family_of(names: &str) -> [Value; 3] {
    let name = |last: &str| format!("{names}-{}", &last[24..]);
    [
        ("profiles", PROFILE, json!({"name": "Kids", "avatar": "x"})),
        (
            "lists",
            LIST,
            json!({"profile_id": name(PROFILE), "name": "Favorites"}),
        ),
        (
            "list_items",
            ITEM,
            json!({"list_id": name(LIST), "meta_id": "tt1", "type": "movie"}),
        ),
    ]
    .map(|(table, last, row)| json!({"table": table, "rows": [new_row(&name(last), 1, row)]}))
}

on_both_backends!(
    fk01_tables_may_stand_in_any_order,
    fk03_a_child_that_comes_before_its_parent_is_taken_after_it,
    fk03_a_child_without_any_parent_is_refused,
    fk05_a_row_of_another_account_is_an_unknown_parent,
    fk05_a_parent_of_another_table_is_unknown,
);
