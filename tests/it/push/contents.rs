//! What a row may hold: the same verdict from every database, and the row beside it is taken.

use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use sync_core::protocol::PUSH_PATH;
use sync_tests::{
    Scene, TestDb, on_both_backends,
    scene::{USER, new_row},
};

const PROFILE: &str = "0190a6e0-0000-7000-8000-0000000000a1";
const BAD: &str = "0190a6e0-0000-7000-8000-0000000000b1";
const GOOD: &str = "0190a6e0-0000-7000-8000-0000000000b2";

/// Rejected: what it is, where, its row as JSON text, the code and the column.
const REJECTED: &[(&str, &str, &str, &str, Option<&str>)] = &[
    (
        "J04 half a surrogate pair",
        "lists",
        r#"{"name": "\ud800"}"#,
        "invalid_row",
        None,
    ),
    (
        "J07 a column twice",
        "lists",
        r#"{"name": "a", "name": "b"}"#,
        "invalid_row",
        None,
    ),
    (
        "J12 SQL as a column",
        "lists",
        r#"{"name": "a", "name\"=1--": 1}"#,
        "unknown_column",
        Some("name\"=1--"),
    ),
    (
        "J12 a row number",
        "lists",
        r#"{"name": "a", "_rowid_": 1}"#,
        "unknown_column",
        Some("_rowid_"),
    ),
    (
        "J12 a hidden column",
        "lists",
        r#"{"name": "a", "xmin": 1}"#,
        "unknown_column",
        Some("xmin"),
    ),
    (
        "J14 more than 64 bits",
        "watch_history",
        r#"{"meta_id": "a", "meta_type": "b", "season": 9223372036854775808}"#,
        "out_of_range",
        Some("season"),
    ),
    (
        "J14 less than 64 bits",
        "watch_history",
        r#"{"meta_id": "a", "meta_type": "b", "season": -9223372036854775809}"#,
        "invalid_value",
        Some("season"),
    ),
    (
        "J16 a fraction",
        "watch_history",
        r#"{"meta_id": "a", "meta_type": "b", "season": 1.5}"#,
        "invalid_value",
        Some("season"),
    ),
    (
        "J17 beyond every float",
        "watch_history",
        r#"{"meta_id": "a", "meta_type": "b", "season": 1e400}"#,
        "invalid_row",
        None,
    ),
    (
        "J19 a number as text",
        "watch_history",
        r#"{"meta_id": "a", "meta_type": "b", "season": "1"}"#,
        "invalid_value",
        Some("season"),
    ),
    (
        "J21 NULL",
        "lists",
        r#"{"name": null}"#,
        "required",
        Some("name"),
    ),
    ("J21 nothing", "lists", "{}", "required", Some("name")),
    (
        "J21 no parent",
        "lists",
        r#"{"name": "a", "profile_id": null}"#,
        "required",
        Some("profile_id"),
    ),
    (
        "J23 U+0000",
        "lists",
        r#"{"name": "a\u0000b"}"#,
        "invalid_value",
        Some("name"),
    ),
    (
        "J23 U+0000 elsewhere",
        "watch_history",
        r#"{"meta_id": "a", "meta_type": "b", "title": "\u0000"}"#,
        "invalid_value",
        Some("title"),
    ),
    (
        "J27 an impossible day",
        "lists",
        r#"{"name": "a", "created_at": "2026-13-45"}"#,
        "invalid_date",
        Some("created_at"),
    ),
    (
        "J27 no date",
        "lists",
        r#"{"name": "a", "created_at": ""}"#,
        "invalid_date",
        Some("created_at"),
    ),
    (
        "J27 a number",
        "lists",
        r#"{"name": "a", "created_at": 0}"#,
        "invalid_date",
        Some("created_at"),
    ),
    (
        "J27 a word",
        "lists",
        r#"{"name": "a", "created_at": "now"}"#,
        "invalid_date",
        Some("created_at"),
    ),
    (
        "J27 no zone",
        "lists",
        r#"{"name": "a", "created_at": "2026-01-01T00:00:00"}"#,
        "invalid_date",
        Some("created_at"),
    ),
    (
        "J28 too late",
        "lists",
        r#"{"name": "a", "created_at": "+294277-01-01T00:00:00Z"}"#,
        "invalid_date",
        Some("created_at"),
    ),
    (
        "J28 too early",
        "lists",
        r#"{"name": "a", "created_at": "-4713-01-01T00:00:00Z"}"#,
        "invalid_date",
        Some("created_at"),
    ),
    (
        "J28 never",
        "lists",
        r#"{"name": "a", "created_at": "infinity"}"#,
        "invalid_date",
        Some("created_at"),
    ),
    (
        "J28 a deletion",
        "lists",
        r#"{"name": "a", "deleted_at": "infinity"}"#,
        "invalid_date",
        Some("deleted_at"),
    ),
    (
        "J38 its own parent",
        "lists",
        r#"{"name": "a", "profile_id": "0190a6e0-0000-7000-8000-0000000000b1"}"#,
        "unknown_parent",
        Some("profile_id"),
    ),
    (
        "a lookup that is none",
        "profile_addons",
        r#"{"addon_id": 5}"#,
        "invalid_value",
        Some("addon_id"),
    ),
    (
        "a lookup without its key",
        "profile_addons",
        r#"{"addon_id": {"name": "a"}}"#,
        "unknown_parent",
        Some("addon_id"),
    ),
    (
        "U+0000 in a lookup",
        "profile_addons",
        r#"{"addon_id": {"manifest_url": "a\u0000", "name": "a"}}"#,
        "invalid_value",
        Some("addon_id"),
    ),
    (
        "no lookup",
        "profile_addons",
        "{}",
        "required",
        Some("addon_id"),
    ),
    ("no row", "lists", "5", "invalid_row", None),
];

async fn j_each_bad_row_has_its_code(db: TestDb) -> Result<()> {
    let scene = world(db).await?;
    let mut wrong = Vec::new();
    for (number, (what, table, row, code, field)) in REJECTED.iter().enumerate() {
        let verdict = verdict(&scene, number, table, &with_parent(row)).await?;
        let told = (verdict["code"].as_str(), verdict["field"].as_str());
        if verdict["verdict"] != "rejected" || told != (Some(*code), *field) {
            wrong.push(format!("{what}: {verdict}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    Ok(())
}

/// No compression makes these fit into an index; and what fits is taken by both.
async fn j25_text_in_a_key_has_a_longest_length(db: TestDb) -> Result<()> {
    let scene = world(db).await?;
    let noise = |bytes: usize| -> String {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap_or_default())
        };
        (0..bytes).map(|_| next()).collect()
    };
    let list = |name: &str| json!({"profile_id": PROFILE, "name": name}).to_string();
    let addon = |url: &str| {
        json!({"profile_id": PROFILE, "addon_id": {"manifest_url": url, "name": "n"}}).to_string()
    };
    for (number, (table, row, field)) in [
        ("lists", list(&noise(12_800)), "name"),
        ("lists", list(&"a".repeat(1_000_000)), "name"),
        ("profile_addons", addon(&noise(12_800)), "addon_id"),
        ("profile_addons", addon(&"a".repeat(100_000)), "addon_id"),
    ]
    .into_iter()
    .enumerate()
    {
        let verdict = verdict(&scene, number, table, &row).await?;
        assert_eq!(
            (&verdict["code"], &verdict["field"]),
            (&json!("too_long"), &json!(field)),
            "{table}"
        );
    }
    for (number, (table, row)) in [
        ("lists", list(&noise(2_000))),
        ("lists", list(&"a".repeat(4_000))),
        ("profile_addons", addon(&noise(2_000))),
    ]
    .into_iter()
    .enumerate()
    {
        let verdict = verdict(&scene, 10 + number, table, &row).await?;
        assert_eq!(verdict["verdict"], "applied", "{table}: {verdict}");
    }
    Ok(())
}

/// Text goes through as it is, but for the ends of keys.
async fn j24_other_strange_text_is_kept(db: TestDb) -> Result<()> {
    let scene = world(db).await?;
    for (number, name) in [
        "\u{1}\u{1f}",
        "\u{fffe}x",
        "\u{202e}abc",
        "a\u{200b}b",
        "\u{7f}",
    ]
    .into_iter()
    .enumerate()
    {
        let row = json!({"profile_id": PROFILE, "name": name}).to_string();
        let verdict = verdict(&scene, number, "lists", &row).await?;
        assert_eq!(verdict["verdict"], "applied", "{name:?}: {verdict}");
        let there = scene.rows("SELECT name FROM lists").await?;
        assert!(there.contains(&name.to_owned()), "{name:?}: {there:?}");
    }
    Ok(())
}

/// Times that no database can write, and clocks that no device has.
async fn j30_strange_times_are_brought_into_bounds(db: TestDb) -> Result<()> {
    let scene = world(db).await?;
    let mut number = 100;
    for at in [
        i64::MIN,
        -300_000_000_000_000,
        0,
        300_000_000_000_000,
        i64::MAX,
    ] {
        for now in [i64::MIN, 0, i64::MAX] {
            number += 1;
            let row = format!(
                r#"{{"remote_id": "0190a6e0-0000-7000-8000-{number:012}", "changed": {{"*": {at}}},
                    "row": {{"name": "{number}", "avatar": "x"}}}}"#
            );
            let tables = format!(r#"[{{"table": "profiles", "rows": [{row}]}}]"#);
            let answer = push(&scene, number, now, &tables).await?;
            assert_eq!(answer.0, 200, "{}", answer.1);
            let verdict = &answer.1["tables"][0]["rows"][0];
            assert_eq!(verdict["verdict"], "applied", "{at} at {now}: {verdict}");
        }
    }
    let b = scene.device().await?;
    scene.settled(&[&b]).await
}

/// J31: what nobody here knows needs no deletion, whatever it belonged to.
async fn j31_a_tombstone_of_an_unknown_row_is_nothing(db: TestDb) -> Result<()> {
    let scene = world(db).await?;
    let head = scene.head().await?;
    for (number, row) in [
        json!({"deleted_at": "2026-01-01T00:00:00Z"}),
        json!({"deleted_at": "2999-01-01T00:00:00Z", "name": "a", "profile_id": BAD}),
    ]
    .into_iter()
    .enumerate()
    {
        let rows = [new_row(BAD, 1, row)];
        let tables = json!([{"table": "lists", "rows": rows}]);
        let push_no = i64::try_from(number)? + 10;
        let (_, answer) = scene.push_by_hand(USER, 1, push_no, tables).await?;
        assert_eq!(
            answer["tables"][0]["rows"][0]["verdict"], "unchanged",
            "{answer}"
        );
    }
    assert_eq!(scene.head().await?, head);
    Ok(())
}

/// J07: which of two values is meant cannot be known.
async fn j07_a_register_cannot_have_changed_twice(db: TestDb) -> Result<()> {
    let scene = world(db).await?;
    let row = format!(
        r#"{{"remote_id": "{BAD}", "changed": {{"*": 1, "*": 2}}, "row": {{"name": "a", "profile_id": "{PROFILE}"}}}}"#
    );
    let tables = format!(r#"[{{"table": "lists", "rows": [{row}]}}]"#);
    let (status, answer) = push(&scene, 10, 0, &tables).await?;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["tables"][0]["rows"][0]["code"], "invalid_row");
    Ok(())
}

/// A profile to hang rows on.
async fn world(db: TestDb) -> Result<Scene> {
    let scene = Scene::new(db).await?;
    let profile = new_row(PROFILE, 1, json!({"name": "N", "avatar": "x"}));
    let tables = json!([{"table": "profiles", "rows": [profile]}]);
    scene.push_by_hand(USER, 1, 1, tables).await?;
    Ok(scene)
}

fn with_parent(row: &str) -> String {
    match row.strip_prefix('{') {
        Some("}") => format!(r#"{{"profile_id": "{PROFILE}"}}"#),
        Some(rest) if !row.contains("profile_id") => {
            format!(r#"{{"profile_id": "{PROFILE}", {rest}"#)
        }
        _ => row.to_owned(),
    }
}

/// What becomes of a row that stands beside a good one; both are removed again.
async fn verdict(scene: &Scene, number: usize, table: &str, row: &str) -> Result<Value> {
    let good = match table {
        "lists" => r#""name": "Good""#,
        "watch_history" => r#""meta_id": "good", "meta_type": "movie""#,
        _ => r#""addon_id": {"manifest_url": "good", "name": "Good"}"#,
    };
    let id = |id: &str| format!("{}{:04}", &id[..32], number * 2 + usize::from(id == BAD));
    let (bad, good_id) = (id(BAD), id(GOOD));
    let row = row.replace(BAD, &bad);
    let tables = format!(
        r#"[{{"table": "{table}", "rows": [
            {{"remote_id": "{bad}", "changed": {{"*": 1}}, "row": {row}}},
            {{"remote_id": "{good_id}", "changed": {{"*": 1}}, "row": {{"profile_id": "{PROFILE}", {good}}}}}]}}]"#
    );
    let push_no = i64::try_from(number)? * 2 + 10;
    let (status, answer) = push(scene, push_no, 0, &tables).await?;
    assert_eq!(status, 200, "{row}: {answer}");
    let verdicts = &answer["tables"][0]["rows"];
    assert_eq!(verdicts[1]["verdict"], "applied", "{row}: {answer}");
    let gone = |id: &str| json!({"remote_id": id, "changed": {"deleted_at": 2}, "row": {"deleted_at": "2026-01-01T00:00:00Z"}});
    let clean = json!([{"table": table, "rows": [gone(&good_id)]}]);
    push(scene, push_no + 1, 0, &clean.to_string()).await?;
    Ok(verdicts[0].clone())
}

async fn push(scene: &Scene, push_no: i64, now: i64, tables: &str) -> Result<(u16, Value)> {
    let body =
        format!(r#"{{"protocol": 1, "push_no": {push_no}, "now": {now}, "tables": {tables}}}"#);
    let request = Request::builder().method(Method::POST).uri(PUSH_PATH);
    let request = request.body(Bytes::from(body))?;
    let answer = scene.server.transport(USER, 1).send(request).await?;
    Ok((
        answer.status().as_u16(),
        serde_json::from_slice(answer.body())?,
    ))
}

on_both_backends!(
    j_each_bad_row_has_its_code,
    j25_text_in_a_key_has_a_longest_length,
    j24_other_strange_text_is_kept,
    j30_strange_times_are_brought_into_bounds,
    j31_a_tombstone_of_an_unknown_row_is_nothing,
    j07_a_register_cannot_have_changed_twice,
);
