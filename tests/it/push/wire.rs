//! Pushes written by hand: what the server makes of rows that no device of ours sends.

use anyhow::Result;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};
use sync_tests::{
    Backend, Scene, TestDb, on_both_backends,
    scene::{USER, new_row},
    snapshot::query,
};

const PROFILE: &str = "0190a6e0-0000-7000-8000-0000000000a1";
const OTHER: &str = "0190a6e0-0000-7000-8000-0000000000a2";

/// A good row beside each bad one; the bad one is named by code and column.
async fn pu10_every_kind_of_bad_row_has_its_code(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let cases: [(&str, Value, &str, Option<&str>); 12] = [
        ("no name", json!({"avatar": "x"}), "required", Some("name")),
        (
            "a NULL",
            json!({"name": null, "avatar": "x"}),
            "required",
            Some("name"),
        ),
        (
            "a number for a text",
            json!({"name": 5, "avatar": "x"}),
            "invalid_value",
            Some("name"),
        ),
        (
            "a text for a flag",
            json!({"name": "N", "avatar": "x", "is_default": "yes"}),
            "invalid_value",
            Some("is_default"),
        ),
        (
            "a column of a newer app",
            json!({"name": "N", "avatar": "x", "colour": 1}),
            "unknown_column",
            Some("colour"),
        ),
        (
            "a column not for the wire",
            json!({"name": "N", "avatar": "x", "dirty": true}),
            "unknown_column",
            Some("dirty"),
        ),
        (
            "an owner",
            json!({"name": "N", "avatar": "x", "user_id": "u2"}),
            "unknown_column",
            Some("user_id"),
        ),
        (
            "a counter",
            json!({"name": "N", "avatar": "x", "rev": 9}),
            "unknown_column",
            Some("rev"),
        ),
        (
            "a key",
            json!({"id": 1, "name": "N", "avatar": "x"}),
            "unknown_column",
            Some("id"),
        ),
        (
            "a date that is none",
            json!({"name": "N", "avatar": "x", "created_at": "now"}),
            "invalid_date",
            Some("created_at"),
        ),
        (
            "a parent that is none",
            json!({"name": "N", "avatar": "x", "settings_profile_id": OTHER}),
            "unknown_parent",
            Some("settings_profile_id"),
        ),
        ("no row at all", Value::Null, "invalid_row", None),
    ];
    let mut wrong = Vec::new();
    for (number, (what, row, code, field)) in cases.into_iter().enumerate() {
        let (good, bad) = (name(number * 2), name(number * 2 + 1));
        let good_row = json!({"name": what, "avatar": "x"});
        let rows = [new_row(&bad, 1, row), new_row(&good, 1, good_row)];
        let tables = json!([{"table": "profiles", "rows": rows}]);
        let push_no = i64::try_from(number)? + 1;
        let (status, answer) = scene.push_by_hand(USER, 1, push_no, tables).await?;
        assert_eq!(status, 200, "{what}: {answer}");
        let verdicts = &answer["tables"][0]["rows"];
        assert_eq!(verdicts[0]["verdict"], "rejected", "{what}: {answer}");
        assert_eq!(verdicts[0]["remote_id"], bad, "{what}");
        assert_eq!(verdicts[1]["verdict"], "applied", "{what}: {answer}");
        let told = (verdicts[0]["code"].as_str(), verdicts[0]["field"].as_str());
        if told != (Some(code), field) {
            wrong.push(format!("{what}: {told:?} instead of {code}, {field:?}"));
        }
        let there = scene.one("SELECT count(*) FROM profiles").await?;
        assert_eq!(there, (number + 1).to_string(), "{what}");
    }
    assert_eq!(wrong, Vec::<String>::new());
    Ok(())
}

async fn pu17_columns_that_are_not_for_the_wire_are_neither_stored_nor_sent(
    db: TestDb,
) -> Result<()> {
    let scene = Scene::new(db).await?;
    scene.server.add_user("u2").await?;
    let a = scene.device().await?;
    for (number, (column, value)) in [
        ("dirty", json!(true)),
        ("rev", json!(7)),
        ("user_id", json!("u2")),
        ("updated_at", json!("2001-01-01T00:00:00Z")),
    ]
    .into_iter()
    .enumerate()
    {
        let row = json!({"name": "N", "avatar": "x", column: value});
        let tables = json!([{"table": "profiles", "rows": [new_row(&name(number), 1, row)]}]);
        scene
            .push_by_hand(USER, 9, i64::try_from(number)? + 1, tables)
            .await?;
    }
    assert_eq!(
        scene
            .rows("SELECT id FROM profiles WHERE user_id <> 'u1' OR dirty")
            .await?,
        Vec::<String>::new()
    );
    a.sync().await?;
    assert_eq!(
        a.rows("SELECT id FROM profiles WHERE dirty OR updated_at LIKE '2001%'")
            .await?,
        Vec::<String>::new()
    );
    Ok(())
}

/// Several kinds of request that are wrong as a whole: nothing of them is carried out.
async fn pu13_a_request_that_is_wrong_as_a_whole_changes_nothing(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("Kids").await?;
    a.sync().await?;
    let before = scene.account(USER).await?;
    let good = new_row(PROFILE, 1, json!({"name": "N", "avatar": "x"}));
    for (what, tables) in [
        ("tables are no list", json!({"profiles": [good.clone()]})),
        (
            "rows are no list",
            json!([{"table": "profiles", "rows": {"1": good.clone()}}]),
        ),
        ("no table", json!([{"rows": [good.clone()]}])),
        (
            "a word too much",
            json!([{"table": "profiles", "rows": [good.clone()], "drop": true}]),
        ),
    ] {
        let (status, answer) = scene.push_by_hand(USER, 1, 100, tables).await?;
        assert_eq!(
            (status, &answer["code"]),
            (400, &json!("bad_request")),
            "{what}: {answer}"
        );
        assert_eq!(scene.account(USER).await?, before, "{what}");
    }
    let (status, _) = scene
        .push_by_hand(USER, 1, 100, json!([{"table": "profiles", "rows": [good]}]))
        .await?;
    assert_eq!(status, 200, "a refused push does not use up its number");
    Ok(())
}

async fn pu14_a_table_that_stands_twice_is_taken_once_each(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let row = |name: &str, id: &str| new_row(id, 1, json!({"name": name, "avatar": "x"}));
    let tables = json!([
        {"table": "profiles", "rows": [row("A", PROFILE)]},
        {"table": "profiles", "rows": [row("B", OTHER), row("C", PROFILE)]},
    ]);
    let (status, answer) = scene.push_by_hand(USER, 1, 1, tables).await?;
    assert_eq!(status, 200, "{answer}");
    let verdicts: Vec<&Value> = [(0, 0), (1, 0), (1, 1)]
        .map(|(table, row)| &answer["tables"][table]["rows"][row])
        .into_iter()
        .collect();
    assert_eq!(
        (&verdicts[0]["verdict"], &verdicts[1]["verdict"]),
        (&json!("applied"), &json!("applied")),
        "{answer}"
    );
    assert_eq!(verdicts[2]["code"], "duplicate_in_push", "{answer}");
    assert_eq!(
        scene
            .rows("SELECT name FROM profiles ORDER BY name")
            .await?,
        ["A", "B"]
    );
    Ok(())
}

/// A full disk is no fault of the row: nothing is taken, and nothing is called bad.
#[tokio::test]
async fn pu10_a_full_disk_rejects_no_row() -> Result<()> {
    let scene = Scene::new(TestDb::new(Backend::Sqlite).await?).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.sync().await?;
    for number in 0..20 {
        let name = format!("{number} {}", "long ".repeat(600));
        a.add_list(profile, &name).await?;
    }
    limit_pages(&scene.server.db, 4).await?;

    let error = a.sync().await.err().map(|error| error.word().to_owned());

    assert_eq!(a.status().await?.rejected, []);
    assert_eq!(error.as_deref(), Some("unavailable"));
    assert_eq!(a.dirty().await?.len(), 20);
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "0");
    scene
        .server
        .db
        .execute_unprepared("PRAGMA max_page_count = 1000000")
        .await?;
    scene.settled(&[&a, &b]).await
}

/// SQLite ends the whole transaction by itself if a statement of one row finds the disk full; the
/// server goes on working once there is room again, and so does the device.
#[tokio::test]
async fn pu10_a_disk_full_for_one_row_stops_nothing_for_ever() -> Result<()> {
    let scene = Scene::new(TestDb::new(Backend::Sqlite).await?).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    let title = "long ".repeat(20_000);
    a.sql(&format!(
        "INSERT INTO watch_history (profile_id, meta_id, meta_type, title) VALUES ({profile}, 'tt1', 'movie', '{title}')"
    ))
    .await?;
    let server = &scene.server.db;
    for (db, device, dirty) in [
        (server, &a, vec!["watch_history 1".to_owned()]),
        (b.device.device.db(), &b, vec![]),
    ] {
        limit_pages(db, 4).await?;
        assert!(device.sync().await.is_err());
        let status = device.status().await?;
        assert_eq!((status.rejected, status.quarantined), (vec![], vec![]));
        assert_eq!(device.dirty().await?, dirty);
        db.execute_unprepared("PRAGMA max_page_count = 1000000")
            .await?;
        device.sync().await?;
    }
    scene.settled(&[&a, &b]).await
}

/// What SQLite may do when the disk is full, when reading fails, or when a commit does.
#[tokio::test]
async fn pu10_a_transaction_that_sqlite_ended_by_itself_blocks_no_other() -> Result<()> {
    let scene = Scene::new(TestDb::new(Backend::Sqlite).await?).await?;
    let db = &scene.server.db;
    for nested in [false, true] {
        let tx = sync_core::tx::begin_write(db).await?;
        let point = if nested {
            Some(tx.begin().await?)
        } else {
            None
        };
        point
            .as_ref()
            .unwrap_or(&tx)
            .execute_unprepared("ROLLBACK")
            .await?;
        drop(point);
        drop(tx);
        let tx = sync_core::tx::begin_write(db).await?;
        tx.execute_unprepared("UPDATE sync_guard SET applying = 0")
            .await?;
        tx.commit().await?;
    }
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await
}

/// Gives a database room for only so many more pages.
async fn limit_pages(db: &sea_orm::DatabaseConnection, more: u64) -> Result<()> {
    let pages = query(db, "SELECT page_count FROM pragma_page_count").await?;
    let pages = pages.concat().parse::<u64>()? + more;
    db.execute_unprepared(&format!("PRAGMA max_page_count = {pages}"))
        .await?;
    Ok(())
}

fn name(number: usize) -> String {
    format!("0190a6e0-0000-7000-8000-{number:012x}")
}

on_both_backends!(
    pu17_columns_that_are_not_for_the_wire_are_neither_stored_nor_sent,
    pu13_a_request_that_is_wrong_as_a_whole_changes_nothing,
);

on_both_backends!(pu10_every_kind_of_bad_row_has_its_code);

on_both_backends!(pu14_a_table_that_stands_twice_is_taken_once_each);
