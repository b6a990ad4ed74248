//! The addresses behind the tools: what they answer to strangers, to other accounts and to garbage.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use sync_core::{Transport, http_transport::HttpTransport};
use sync_tests::{
    Backend, HttpServer, Scene, TestDb, on_both_backends,
    scene::{USER, new_row},
};

const PROFILE: &str = "0190a6e0-0000-7000-8000-0000000000a1";
const NOBODYS: &str = "0190a6e0-0000-7000-8000-0000000000ff";

async fn a_row_of_another_account_is_as_unknown_as_nobodys(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    scene.server.add_user("u2").await?;
    let row = new_row(PROFILE, 1, json!({"name": "Theirs", "avatar": "x"}));
    scene
        .push_by_hand("u2", 7, 1, json!([{"table": "profiles", "rows": [row]}]))
        .await?;
    let own = new_row(
        NOBODYS.replace("ff", "fe").as_str(),
        1,
        json!({"name": "Mine", "avatar": "x"}),
    );
    scene
        .push_by_hand(USER, 1, 1, json!([{"table": "profiles", "rows": [own]}]))
        .await?;
    let mine = scene.server.transport(USER, 1);

    let mut answers = Vec::new();
    for name in [PROFILE, NOBODYS] {
        let one = ask(
            &*mine,
            "GET",
            &format!("/api/sync/row?table=profiles&remote_id={name}"),
            Value::Null,
        )
        .await?;
        let many = json!({"table": "profiles", "remote_ids": [name]});
        answers.push((one, ask(&*mine, "POST", "/api/sync/rows", many).await?));
    }
    assert_eq!(answers[0], answers[1], "one cannot be told from the other");
    let ((status, error), (_, rows)) = &answers[0];
    assert_eq!(
        (*status, error["code"].as_str()),
        (404, Some("unknown_row"))
    );
    assert_eq!(rows["tables"], json!([]));

    let theirs = scene.server.transport("u2", 7);
    let path = format!("/api/sync/row?table=profiles&remote_id={PROFILE}");
    assert_eq!(ask(&*theirs, "GET", &path, Value::Null).await?.0, 200);
    // Neither do its rows count where mine are compared.
    let cursor = ask(&*mine, "GET", "/api/sync/pull", Value::Null).await?.1["cursor"].clone();
    let compare = json!({"protocol": 1, "cursor": cursor, "tables": [{"table": "profiles", "columns": ["name"]}]});
    let (_, sums) = ask(&*mine, "POST", "/api/sync/compare", compare).await?;
    let n_rows: u64 = sums["tables"][0]["buckets"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|b| b["n_rows"].as_u64())
        .sum();
    assert_eq!(n_rows, 1, "{sums}");
    Ok(())
}

#[tokio::test]
async fn garbage_is_answered_with_a_code_and_strangers_not_at_all() -> Result<()> {
    let server = HttpServer::start(TestDb::new(Backend::Sqlite).await?).await?;
    server.add_user("anna@example.org").await?;
    let known = server.transport("anna@example.org").await?;
    let stranger = HttpTransport::new(&server.url(), None)?;
    let names: Vec<String> = (0..1_001).map(|_| NOBODYS.to_owned()).collect();
    let row = |query: &str| ("GET", format!("/api/sync/row{query}"), Value::Null);
    let rows = |body| ("POST", "/api/sync/rows".to_owned(), body);
    let compare = |body| ("POST", "/api/sync/compare".to_owned(), body);
    for ((method, path, body), status, code) in [
        (row(""), 404, "unknown_table"),
        (row("?table=lists"), 400, "bad_request"),
        (row("?table=lists&remote_id=17"), 400, "bad_request"),
        (
            row("?table=lists&remote_id=%27%20OR%201=1"),
            400,
            "bad_request",
        ),
        (row("?table=lists&remote_id=%ff%00"), 400, "bad_request"),
        (row("?table=user&remote_id=x"), 404, "unknown_table"),
        (
            row("?table=%22%3B%20DROP%20TABLE%20lists&remote_id=x"),
            404,
            "unknown_table",
        ),
        (
            row(&format!("?table=lists&remote_id={NOBODYS}")),
            404,
            "unknown_row",
        ),
        (rows(Value::Null), 400, "bad_request"),
        (
            rows(json!({"table": "user", "remote_ids": []})),
            404,
            "unknown_table",
        ),
        (
            rows(json!({"table": "lists", "remote_ids": [1]})),
            400,
            "bad_request",
        ),
        (
            rows(json!({"table": "lists", "remote_ids": names})),
            413,
            "too_many_rows",
        ),
        (compare(json!([])), 400, "bad_request"),
        (
            compare(json!({"protocol": 2, "tables": []})),
            426,
            "unsupported_protocol",
        ),
        (
            compare(json!({"protocol": 1, "cursor": "x", "tables": []})),
            400,
            "bad_cursor",
        ),
        (
            compare(
                json!({"protocol": 1, "tables": [{"table": "lists", "columns": [], "buckets": [256]}]}),
            ),
            400,
            "bad_request",
        ),
    ] {
        let (found, answer) = ask(&*known, method, &path, body.clone()).await?;
        assert_eq!(
            (found, answer["code"].as_str()),
            (status, Some(code)),
            "{path} {body}: {answer}"
        );
        let (found, answer) = ask(&stranger, method, &path, body).await?;
        assert_eq!(
            (found, answer["code"].as_str()),
            (401, Some("unauthorized")),
            "{path}"
        );
    }
    let odd = json!({"table": "lists", "remote_ids": ["", "17", "'", "\u{0}"]});
    let (status, answer) = ask(&*known, "POST", "/api/sync/rows", odd).await?;
    assert_eq!((status, &answer["tables"]), (200, &json!([])), "{answer}");
    let odd = json!({"protocol": 1, "tables": [{"table": "nonsense", "columns": []}, {"table": "lists", "columns": ["nonsense"]}]});
    let (status, answer) = ask(&*known, "POST", "/api/sync/compare", odd).await?;
    assert_eq!(
        (status, answer["tables"][0]["code"].as_str()),
        (200, Some("unknown_table")),
        "{answer}"
    );
    assert_eq!(answer["tables"][1]["columns"], json!([]));
    Ok(())
}

async fn ask(
    transport: &dyn Transport,
    method: &str,
    path: &str,
    body: Value,
) -> Result<(u16, Value)> {
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes())?)
        .uri(path)
        .header("content-type", "application/json")
        .body(Bytes::from(if method == "GET" {
            String::new()
        } else {
            body.to_string()
        }))?;
    let answer = transport.send(request).await?;
    let body = serde_json::from_slice(answer.body()).context("no JSON")?;
    Ok((answer.status().as_u16(), body))
}

on_both_backends!(a_row_of_another_account_is_as_unknown_as_nobodys);
