//! Section 3.4 of the attacks: requests that are odd before anybody looks into their bodies. Connections are in
//! the server's own tests.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::json;
use sync_tests::{TestDb, on_both_backends};

use super::world::{World, edit, push_body};

on_both_backends!(
    h01_h04_bodies_over_the_limit,
    h12_methods_that_there_are_not,
    h14_h15_queries,
    h17_other_sites_may_not_call_it,
    h17_unless_they_are_named,
    h21_what_a_stranger_says_is_not_taken_for_a_line_of_the_log,
    h22_the_name_it_was_called_by_is_not_believed,
    limits_are_told,
);

async fn h01_h04_bodies_over_the_limit(db: TestDb) -> Result<()> {
    let world = World::with(db, |config| config.limits.body_bytes = 100_000).await?;
    let before = world.everything().await?;
    let large = format!("{}{}", push_body(2, json!([])), " ".repeat(100_000));
    let answer = world.push_raw(large.clone()).await?;
    ensure!(answer.status == 413, "{answer:?}");
    let token = format!("Bearer {}", world.ann.token);
    for (encoding, body) in [
        ("zstd", zstd::encode_all(large.as_bytes(), 1)?),
        (
            "zstd",
            zstd::encode_all(vec![b' '; 64 << 20].as_slice(), 1)?,
        ),
    ] {
        let headers = [
            ("authorization", token.as_bytes()),
            ("content-type", b"application/json".as_slice()),
            ("content-encoding", encoding.as_bytes()),
        ];
        ensure!(body.len() < 100_000);
        let answer = world
            .send(Method::POST, "/api/sync/push", &headers, body)
            .await?;
        ensure!(answer.status == 413, "{answer:?}");
    }
    for encoding in ["br", "deflate", "gzip, gzip", "zstd, identity"] {
        let headers = [
            ("authorization", token.as_bytes()),
            ("content-type", b"application/json".as_slice()),
            ("content-encoding", encoding.as_bytes()),
        ];
        let answer = world
            .send(Method::POST, "/api/sync/push", &headers, "{}")
            .await?;
        ensure!(answer.status == 415, "{encoding}: {answer:?}");
    }
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

async fn h12_methods_that_there_are_not(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let before = world.everything().await?;
    let token = format!("Bearer {}", world.ann.token);
    let body = push_body(
        2,
        json!([{"table": "lists", "rows": [edit(&world.ann.list, json!({"name": "X"}))]}]),
    );
    for (method, path) in [
        (Method::GET, "/api/sync/push"),
        (Method::POST, "/api/sync/pull"),
        (Method::TRACE, "/api/sync/push"),
        (Method::PUT, "/api/sync/push"),
        (Method::PATCH, "/api/sync/push"),
        (Method::GET, "/api/auth/sign-in/email"),
    ] {
        let headers = [
            ("authorization", token.as_bytes()),
            ("content-type", b"application/json".as_slice()),
            ("x-http-method-override", b"POST".as_slice()),
        ];
        let answer = world
            .send(method.clone(), path, &headers, body.to_string())
            .await?;
        ensure!(answer.status == 405, "{method} {path}: {answer:?}");
    }
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

async fn h14_h15_queries(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    for (query, status) in [
        ("limit=0", 400),
        ("limit=-1", 400),
        ("limit=4294967296", 400),
        ("limit=x", 400),
        ("limit=4294967295", 200),
        ("limit=1&limit=2", 400),
        ("color=blue", 200),
        ("user_id=x&account=1", 200),
        ("protocol=2", 426),
        ("cursor=%ff", 400),
    ] {
        let answer = world
            .get(&world.ann, &format!("/api/sync/pull?{query}"))
            .await?;
        ensure!(answer.status == status, "{query}: {answer:?}");
    }
    Ok(())
}

/// The headers by which a browser lets another site's page read an answer.
async fn allowed(world: &World, method: Method, origin: &str) -> Result<Vec<String>> {
    let headers = [
        ("origin", origin.as_bytes()),
        ("access-control-request-method", b"POST".as_slice()),
        (
            "access-control-request-headers",
            b"authorization,content-type".as_slice(),
        ),
    ];
    let answer = world.http_alone(method, "/api/sync/push", &headers).await?;
    let names = answer
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control-allow"));
    Ok(names
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()))
        .collect())
}

async fn h17_other_sites_may_not_call_it(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    for method in [Method::OPTIONS, Method::POST, Method::GET] {
        let allowed = allowed(&world, method, "https://evil.example").await?;
        ensure!(allowed.is_empty(), "{allowed:?}");
    }
    Ok(())
}

async fn h17_unless_they_are_named(db: TestDb) -> Result<()> {
    let world = World::with(db, |config| {
        config.allow_origins = vec!["https://app.example".to_owned()];
    })
    .await?;
    let ours = allowed(&world, Method::OPTIONS, "https://app.example").await?;
    let origin = "access-control-allow-origin: https://app.example".to_owned();
    ensure!(ours.contains(&origin), "{ours:?}");
    for origin in [
        "https://evil.example",
        "null",
        "https://app.example.evil",
        "http://app.example",
    ] {
        let theirs = allowed(&world, Method::OPTIONS, origin).await?;
        ensure!(
            !theirs
                .iter()
                .any(|header| header.starts_with("access-control-allow-origin")),
            "{origin}: {theirs:?}"
        );
    }
    Ok(())
}

/// Its logs are lines of their own in every format; here: what comes back is what was made here.
async fn h21_what_a_stranger_says_is_not_taken_for_a_line_of_the_log(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    for id in ["a b", "x\ty", &"a".repeat(65), "{}", "\u{e4}"] {
        let headers = [("x-request-id", id.as_bytes())];
        let answer = world.send(Method::GET, "/healthz", &headers, "").await?;
        let given = answer.headers["x-request-id"].to_str()?;
        ensure!(given != id && given.len() == 36, "{id}: {given}");
    }
    let headers = [("x-request-id", b"proxy-0.1_a".as_slice())];
    let answer = world.send(Method::GET, "/healthz", &headers, "").await?;
    ensure!(
        answer.headers["x-request-id"] == "proxy-0.1_a",
        "{answer:?}"
    );
    Ok(())
}

async fn h22_the_name_it_was_called_by_is_not_believed(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let token = format!("Bearer {}", world.ann.token);
    for host in ["evil.example", "x:99999", "[", "a b"] {
        let headers = [
            ("authorization", token.as_bytes()),
            ("host", host.as_bytes()),
            ("x-forwarded-host", host.as_bytes()),
        ];
        let answer = world
            .send(Method::GET, "/api/sync/pull", &headers, "")
            .await?;
        ensure!(answer.status == 200, "{host}: {answer:?}");
        let all = format!("{:?} {}", answer.headers, answer.text);
        ensure!(!all.contains("evil.example"), "{all}");
    }
    Ok(())
}

async fn limits_are_told(db: TestDb) -> Result<()> {
    let world = World::with(db, |config| {
        config.limits.body_bytes = 123_456;
        config.limits.account_rows = Some(789);
    })
    .await?;
    let info = world.get(&world.ann, "/api/sync/info").await?.json();
    ensure!(info["limits"]["body_bytes"] == 123_456, "{info}");
    ensure!(info["limits"]["account_rows"] == 789, "{info}");
    ensure!(info["limits"]["push_rows"] == 5_000, "{info}");
    Ok(())
}
