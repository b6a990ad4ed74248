//! One row through the endpoints; what the engine does with rows is tested where it lives.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::harness::{START_MS, TestServer, request};

const ROW: &str = "01932d4e-7c1b-7000-8000-000000000001";

fn push(rows: Value) -> Value {
    json!({
        "protocol": 1, "push_no": 1, "now": START_MS,
        "tables": [{ "table": "settings_profiles", "rows": rows }],
    })
}

#[tokio::test]
async fn a_row_pushed_is_pulled_again() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    let row = json!({ "remote_id": ROW, "changed": { "*": START_MS }, "row": { "name": "Main" } });
    let draft = request(Method::POST, "/api/sync/push").bearer(&token);
    let pushed = server.send(draft.json(push(json!([row])))).await;
    assert_eq!(pushed.status, StatusCode::OK, "{pushed:?}");
    assert_eq!(pushed.body["tables"][0]["rows"][0]["verdict"], "applied");

    let page = server
        .with_token(Method::GET, "/api/sync/pull?cursor=&limit=10", &token)
        .await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let pulled = &page.body["tables"][0]["rows"][0];
    assert_eq!(
        (&pulled["remote_id"], &pulled["row"]["name"]),
        (&json!(ROW), &json!("Main"))
    );
    assert_eq!(page.body["cursor"], pushed.body["after"]);
}

#[tokio::test]
async fn what_the_engine_refuses_arrives_with_its_code() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    let mut body = push(json!([]));
    body["protocol"] = json!(99);
    let draft = request(Method::POST, "/api/sync/push").bearer(&token);
    server
        .send(draft.json(body))
        .await
        .is_error(426, "unsupported_protocol");
    let nonsense = "/api/sync/pull?cursor=nonsense";
    server
        .with_token(Method::GET, nonsense, &token)
        .await
        .is_error(400, "bad_cursor");
}
