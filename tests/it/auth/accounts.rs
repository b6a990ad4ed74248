//! Two accounts on one server: names of rows, keys and parents are each one's own.

use anyhow::Result;
use serde_json::{Value, json};
use sync_tests::{
    NOON, Scene, TestDb, on_both_backends,
    scene::{USER, new_row},
    snapshot::live_rows,
};

on_both_backends!(
    at04_two_accounts_may_choose_the_same_names,
    at05_another_accounts_row_is_an_unknown_one,
    at11_equal_keys_of_two_accounts_are_two_rows,
    at12_one_row_is_refused_and_the_others_are_written,
);

const OTHER: &str = "u2";
const NAMES: [&str; 4] = [
    "0190a6e0-0000-7000-8000-0000000000a1",
    "0190a6e0-0000-7000-8000-0000000000b1",
    "0190a6e0-0000-7000-8000-0000000000c1",
    "0190a6e0-0000-7000-8000-0000000000d1",
];
/// Nobody has it.
const NOBODYS: &str = "0190a6e0-0000-7000-8000-0000000000ff";

async fn two_accounts(db: TestDb) -> Result<Scene> {
    let scene = Scene::at_noon(db).await?;
    scene.server.add_user(OTHER).await?;
    Ok(scene)
}

fn tables(whose: &str) -> Value {
    let [profile, list, item, seen] = NAMES;
    let row = |name: &str, row: Value| new_row(name, NOON - 5_000, row);
    json!([
        {"table": "profiles", "rows": [row(profile, json!({"name": whose, "avatar": "x"}))]},
        {"table": "lists", "rows": [row(list, json!({"profile_id": profile, "name": "Favorites"}))]},
        {"table": "list_items", "rows": [row(item, json!({"list_id": list, "meta_id": "tt1", "type": whose}))]},
        {"table": "watch_history", "rows": [row(seen, json!({"profile_id": profile, "meta_id": "tt1", "meta_type": "movie", "title": whose}))]},
    ])
}

fn verdicts(answer: &Value) -> Vec<(String, String)> {
    let tables = answer["tables"].as_array().cloned().unwrap_or_default();
    let rows = tables
        .iter()
        .flat_map(|table| table["rows"].as_array().cloned().unwrap_or_default());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.map(|row| (text(&row["verdict"]), text(&row["code"])))
        .collect()
}

async fn at04_two_accounts_may_choose_the_same_names(db: TestDb) -> Result<()> {
    let scene = two_accounts(db).await?;
    for (user, device) in [(USER, 1), (OTHER, 2)] {
        let (status, answer) = scene.push_by_hand(user, device, 1, tables(user)).await?;
        assert_eq!(status, 200);
        assert!(
            verdicts(&answer)
                .iter()
                .all(|(verdict, _)| verdict == "applied"),
            "{answer}"
        );
    }
    let of_other = scene.account(OTHER).await?;
    // The one deletes all, and edits before.
    for (push_no, register, value) in [
        (2, "name", json!("Edited")),
        (3, "deleted_at", json!("2027-01-15T11:59:59.000Z")),
    ] {
        let row = json!({"remote_id": NAMES[0], "changed": {register: NOON - 1_000}, "row": {register: value}});
        scene
            .push_by_hand(
                USER,
                1,
                push_no,
                json!([{"table": "profiles", "rows": [row]}]),
            )
            .await?;
    }
    assert!(live_rows(&scene.server.db, USER).await?.is_empty());
    assert_eq!(scene.account(OTHER).await?, of_other);
    let b = scene.device_of(OTHER).await?;
    b.sync().await?;
    assert_eq!(
        live_rows(b.device.device.db(), OTHER).await?,
        live_rows(&scene.server.db, OTHER).await?
    );
    assert_eq!(
        b.one("SELECT p.name || i.type FROM profiles p, list_items i")
            .await?,
        "u2u2"
    );
    Ok(())
}

/// Edits, deletions, undeletions and new rows: answered as for a name that nobody has.
async fn at05_another_accounts_row_is_an_unknown_one(db: TestDb) -> Result<()> {
    let scene = two_accounts(db).await?;
    scene.push_by_hand(OTHER, 2, 1, tables(OTHER)).await?;
    let before = scene.account(OTHER).await?;
    let edits = [
        ("profiles", 0, json!({"name": "Mine now"})),
        ("lists", 1, json!({"name": "Mine now"})),
        (
            "lists",
            1,
            json!({"deleted_at": "2027-01-15T11:59:59.000Z"}),
        ),
        ("lists", 1, json!({"deleted_at": null})),
        ("list_items", 2, json!({"list_id": NAMES[1]})),
        (
            "watch_history",
            3,
            json!({"duration": 1, "position": 1, "is_watched": true, "watched_at": null, "last_stream": null}),
        ),
    ];
    for (number, (table, name, row)) in (0_i64..).zip(edits) {
        let register = match row
            .as_object()
            .and_then(|row| row.keys().next())
            .map(String::as_str)
        {
            Some("duration" | "position" | "is_watched") => "progress".to_owned(),
            other => other.unwrap_or_default().to_owned(),
        };
        let mut answers = Vec::new();
        for (step, name) in (0_i64..).zip([NAMES[name], NOBODYS]) {
            let row = json!({"remote_id": name, "changed": {&register: NOON - 1_000}, "row": row});
            let push_no = 10 + number * 2 + step;
            let (status, answer) = scene
                .push_by_hand(USER, 1, push_no, json!([{"table": table, "rows": [row]}]))
                .await?;
            answers.push((status, verdicts(&answer)));
        }
        assert_eq!(answers[0], answers[1], "{table} {row}");
        assert_eq!(scene.account(OTHER).await?, before, "{table} {row}");
    }
    // As a parent it is unknown, too, and a new row of that name is one's own.
    for (push_no, list) in [(100, NAMES[1]), (101, NOBODYS)] {
        let row = new_row(
            NAMES[2],
            NOON - 1_000,
            json!({"list_id": list, "meta_id": "x", "type": "y"}),
        );
        let (_, answer) = scene
            .push_by_hand(
                USER,
                1,
                push_no,
                json!([{"table": "list_items", "rows": [row]}]),
            )
            .await?;
        assert_eq!(
            verdicts(&answer),
            [("rejected".to_owned(), "unknown_parent".to_owned())]
        );
    }
    scene.push_by_hand(USER, 1, 200, tables(USER)).await?;
    assert_eq!(scene.account(OTHER).await?, before);
    Ok(())
}

async fn at11_equal_keys_of_two_accounts_are_two_rows(db: TestDb) -> Result<()> {
    let scene = two_accounts(db).await?;
    let (a, b) = (scene.device().await?, scene.device_of(OTHER).await?);
    for (device, user) in [(&a, USER), (&b, OTHER)] {
        let all = crate::conflict::FAMILY.replace("'u1'", &format!("'{user}'"));
        device.at(-5_000, &format!("{all}; UPDATE lists SET name = 'Favorites', is_default = 1; UPDATE profiles SET is_default = 1")).await?;
        device.sync().await?;
    }
    for device in [&a, &b] {
        device.sync().await?;
        device.check().await?;
    }
    for user in [USER, OTHER] {
        let rows = live_rows(&scene.server.db, user).await?;
        assert_eq!(rows.len(), 8, "{rows:#?}");
    }
    assert_eq!(scene.one("SELECT count(*) FROM sync_alias").await?, "0");
    // What the one deletes, edits and flags is nothing to the other.
    let before = scene.account(OTHER).await?;
    a.at(-1_000, "UPDATE lists SET name = 'Else', is_default = 0; UPDATE profiles SET deleted_at = '2027-01-15 11:59:59'").await?;
    a.sync().await?;
    assert_eq!(scene.account(OTHER).await?, before);
    Ok(())
}

async fn at12_one_row_is_refused_and_the_others_are_written(db: TestDb) -> Result<()> {
    let scene = two_accounts(db).await?;
    scene.push_by_hand(OTHER, 2, 1, tables(OTHER)).await?;
    let before = scene.account(OTHER).await?;
    let list = "0190a6e0-0000-7000-8000-0000000000b2";
    let name = |n: u8| format!("0190a6e0-0000-7000-8000-00000000ee0{n}");
    let profile = "0190a6e0-0000-7000-8000-0000000000a2";
    let item = |n: u8, list: &str| {
        new_row(
            &name(n),
            NOON - 1_000,
            json!({"list_id": list, "meta_id": format!("tt{n}"), "type": "movie"}),
        )
    };
    let push = json!([
        {"table": "profiles", "rows": [new_row(profile, NOON - 1_000, json!({"name": "Mine", "avatar": "x"}))]},
        {"table": "lists", "rows": [new_row(list, NOON - 1_000, json!({"profile_id": profile, "name": "Mine"}))]},
        {"table": "list_items", "rows": [item(1, list), item(2, NAMES[1]), item(3, list)]},
    ]);
    let (status, answer) = scene.push_by_hand(USER, 1, 1, push).await?;
    assert_eq!(status, 200);
    let codes: Vec<String> = verdicts(&answer)
        .into_iter()
        .map(|(_, code)| code)
        .collect();
    assert_eq!(codes, ["", "", "", "unknown_parent", ""]);
    assert_eq!(live_rows(&scene.server.db, USER).await?.len(), 4);
    assert_eq!(scene.account(OTHER).await?, before);
    Ok(())
}
