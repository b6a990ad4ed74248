//! Answers that refuse a request as a whole.

use anyhow::Result;
use serde_json::{Value, json};
use sync_core::protocol::ErrorCode;
use sync_tests::{TestDb, on_both_backends};

use super::world::{NOON, World, matches_snapshot};

on_both_backends!(refused_pushes, refused_pulls);

#[test]
fn codes_and_their_statuses() {
    let codes = ErrorCode::ALL.map(|code| (code.as_str(), code.status()));
    matches_snapshot!("error_codes", codes);
}

async fn refused_pushes(database: TestDb) -> Result<()> {
    let world = World::new(database).await?;
    let push = |more: Value| {
        let mut body = json!({ "protocol": 1, "push_no": 1, "now": NOON, "tables": [] });
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        body
    };
    let other_life = "0198c0de-0000-7000-8000-0000000000ff";
    let rows: Vec<Value> = (0..5_001).map(|_| json!({})).collect();
    let mut answers = Vec::new();
    for body in [
        Value::Null,
        push(json!({ "more": 1 })),
        push(json!({ "protocol": 2 })),
        push(json!({ "epoch": other_life })),
        push(json!({ "tables": [{ "table": "lists", "rows": rows }] })),
        push(json!({ "push_no": 5 })),
        push(json!({ "push_no": 4 })),
    ] {
        answers.push(world.ask("POST", "/api/sync/push", &body).await?);
    }
    matches_snapshot!("push_refused", answers);
    Ok(())
}

async fn refused_pulls(database: TestDb) -> Result<()> {
    let world = World::new(database).await?;
    let epoch = world
        .server
        .engine
        .info()
        .await
        .map_err(|error| anyhow::anyhow!("{error:?}"))?
        .epoch;
    let mut answers = Vec::new();
    for query in [
        "limit=0".to_owned(),
        "cursor=17".to_owned(),
        format!("cursor={epoch}.17"),
        "cursor=0198c0de-0000-7000-8000-0000000000ff.17".to_owned(),
    ] {
        answers.push(
            world
                .ask("GET", &format!("/api/sync/pull?{query}"), &Value::Null)
                .await?,
        );
    }
    matches_snapshot!("pull_refused", answers);
    Ok(())
}
