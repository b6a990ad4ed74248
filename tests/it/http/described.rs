//! The description is whole, and true of answers that other modules do not ask for. Every answer that they do
//! get is held against it too.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::json;
use sync_tests::{TestDb, on_both_backends};

use super::world::World;

on_both_backends!(
    every_address_is_described_and_there,
    answers_with_rows_of_every_kind_are_as_described,
);

async fn every_address_is_described_and_there(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let operations = world.description().operations();
    ensure!(operations.len() >= 14, "{operations:?}");
    for (path, method) in operations {
        let path = path.replace("{id}", "1");
        let answer = world.send(method.clone(), &path, &[], "").await;
        let answer = match answer {
            Ok(answer) => answer,
            // A stream does not end by itself.
            Err(_) if path.ends_with("/events") => continue,
            Err(error) => return Err(error),
        };
        let there = !matches!(answer.status.as_u16(), 404 | 405);
        ensure!(there, "{method} {path}: {answer:?}");
    }
    Ok(())
}

async fn answers_with_rows_of_every_kind_are_as_described(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let ann = &world.ann;
    for path in [
        "/api/sync/info".to_owned(),
        "/api/sync/pull".to_owned(),
        "/api/sync/pull?schema=&limit=1".to_owned(),
        format!("/api/sync/row?table=lists&remote_id={}", ann.list),
        "/healthz".to_owned(),
        "/readyz".to_owned(),
        "/api/openapi.json".to_owned(),
    ] {
        let answer = world.get(ann, &path).await?;
        ensure!(answer.status.is_success(), "{path}: {answer:?}");
    }
    let compare = json!({"protocol": 1, "cursor": world.get(ann, "/api/sync/pull").await?.json()["cursor"],
        "tables": [{"table": "lists", "columns": ["name"]}, {"table": "nothing", "columns": []}]});
    let rows = json!({"table": "list_items", "remote_ids": [ann.item]});
    for (path, body) in [("/api/sync/compare", compare), ("/api/sync/rows", rows)] {
        let answer = world.post(ann, path, body.to_string()).await?;
        ensure!(answer.status.is_success(), "{path}: {answer:?}");
    }
    let wrong = json!({"email": "ann@example.org", "password": "wrong horse"}).to_string();
    let json = [("content-type", b"application/json".as_slice())];
    let answer = world
        .send(Method::POST, "/api/auth/sign-in/email", &json, wrong)
        .await?;
    ensure!(answer.status == 401, "{answer:?}");
    Ok(())
}
