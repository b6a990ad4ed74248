//! How sync tokens live and end.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use sync_tests::{
    LoginServer, TestDb,
    login_server::{DAY_MS, START_MS},
    on_both_backends,
    synced_rows::live_rows,
};

use super::ANNA;
use crate::binaries::secrets::dump;

on_both_backends!(
    t04_an_expired_token_writes_nothing_and_reads_nothing,
    t04_a_token_lives_as_long_as_it_is_used,
    t05_a_revoked_token_is_dead_at_the_next_request,
    t10_a_stolen_token_is_seen_and_ended,
    t11_no_token_stands_in_the_database,
    t05_t21_whatever_ends_a_token_ends_its_stream_at_once,
);

const NAME: &str = "0190a6e0-0000-7000-8000-0000000000a1";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

fn push(push_no: i64, now: i64) -> Value {
    let row = json!({ "remote_id": NAME, "changed": { "*": now }, "row": { "name": format!("Main {push_no}") } });
    json!({ "protocol": 1, "push_no": push_no, "now": now,
            "tables": [{ "table": "settings_profiles", "rows": [row] }] })
}

async fn t04_an_expired_token_writes_nothing_and_reads_nothing(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let token = server
        .sync_token(&server.session(ANNA).await?, "phone")
        .await?;
    let pushed = server
        .post("/api/sync/push", &token, &push(1, START_MS))
        .await?;
    assert_eq!(pushed.status, 200, "{pushed:?}");
    let before = live_rows(&db.connect().await?).await?;

    let now = server.later(365 * DAY_MS);
    let pushed = server.post("/api/sync/push", &token, &push(2, now)).await?;
    assert_eq!(pushed.outcome(), (401, "token_expired"));
    let pulled = server.ask(Method::GET, "/api/sync/pull", &token).await?;
    assert_eq!(pulled.outcome(), (401, "token_expired"));
    assert!(pulled.body.get("tables").is_none(), "{pulled:?}");
    assert_eq!(live_rows(&db.connect().await?).await?, before);
    Ok(())
}

async fn t04_a_token_lives_as_long_as_it_is_used(db: TestDb) -> Result<()> {
    let server = LoginServer::start_with(&db, |config| config.sync_token_days = 10).await?;
    server.add_user(ANNA).await?;
    let session = server.session(ANNA).await?;
    let (used, idle) = (
        server.sync_token(&session, "used").await?,
        server.sync_token(&session, "idle").await?,
    );
    for _ in 0..5 {
        server.later(9 * DAY_MS);
        assert_eq!(server.info(&used).await?.status, 200);
    }
    assert_eq!(server.info(&idle).await?.outcome(), (401, "token_expired"));
    let listed = server.ask(Method::GET, "/api/sync/devices", &used).await?;
    let listed = &listed.body["devices"];
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed[0]["lastSeenAt"], "2026-02-15T00:00:00.000Z");
    assert_eq!(listed[0]["expiresAt"], "2026-02-25T00:00:00.000Z");
    Ok(())
}

async fn t05_a_revoked_token_is_dead_at_the_next_request(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    let user_id = server.add_user(ANNA).await?;
    let session = server.session(ANNA).await?;
    for way in [
        "itself",
        "session",
        "other device",
        "again",
        "command",
        "all",
    ] {
        let token = server.sync_token(&session, "phone").await?;
        let other = server.sync_token(&session, "tv").await?;
        assert_eq!(server.info(&token).await?.status, 200);
        let path = "/api/sync/devices/phone";
        match way {
            "itself" => {
                server
                    .ask(Method::DELETE, "/api/sync/token", &token)
                    .await?
                    .status
            }
            "session" => server.ask(Method::DELETE, path, &session).await?.status,
            "other device" => server.ask(Method::DELETE, path, &other).await?.status,
            "again" => {
                server.sync_token(&session, "phone").await?;
                204
            }
            "command" => {
                server::devices::revoke(&server.state, &user_id, "phone").await?;
                204
            }
            _ => {
                let n = server::devices::revoke_all(&server.state, &user_id).await?;
                assert_eq!(n, 2);
                204
            }
        };
        assert_eq!(
            server.info(&token).await?.outcome(),
            (401, "unauthorized"),
            "{way}"
        );
        let others = if way == "all" { 401 } else { 200 };
        assert_eq!(server.info(&other).await?.status, others, "{way}");
    }
    Ok(())
}

/// T10: whoever has the token is the device, until it is noticed in the list and ended.
async fn t10_a_stolen_token_is_seen_and_ended(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let session = server.session(ANNA).await?;
    let stolen = server.sync_token(&session, "phone").await?;
    let other = server.sync_token(&session, "tv").await?;
    let replay = server.request(Method::GET, "/api/sync/pull");
    let replay = replay
        .bearer_auth(&stolen)
        .header("user-agent", "thief")
        .header("x-forwarded-for", "203.0.113.66");
    assert_eq!(server.told(replay).await?.status, 200);

    let listed = server.ask(Method::GET, "/api/sync/devices", &other).await?;
    let devices = listed.body["devices"].as_array().context("devices")?;
    let phone = devices.iter().find(|device| device["id"] == "phone");
    let phone = phone.context("the stolen one is listed")?;
    assert_eq!(phone["lastSeenAt"], "2026-01-01T00:00:00.000Z");
    let ended = server
        .ask(Method::DELETE, "/api/sync/devices/phone", &other)
        .await?;
    assert_eq!(ended.status, 204);
    assert_eq!(server.info(&stolen).await?.status, 401);
    assert_eq!(server.info(&other).await?.status, 200);
    Ok(())
}

async fn t11_no_token_stands_in_the_database(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let session = server.session(ANNA).await?;
    let mut tokens = Vec::new();
    for device in ["phone", "tv", "phone"] {
        let token = server.sync_token(&session, device).await?;
        server.info(&token).await?;
        tokens.push(token);
    }
    let wrong = "a wrong password of this test";
    server.sign_in("192.0.2.1", ANNA, wrong).await?;
    let dump = dump(&db).await?;
    assert!(dump.contains("phone of the test"), "nothing was looked at");
    tokens.extend([super::passwords::PASSWORD, wrong].map(str::to_owned));
    for token in &tokens {
        assert!(!dump.contains(token), "{token} is in the database");
    }
    // Nor does it tell who tried to log in from where.
    assert!(!dump.contains("192.0.2.1"));
    Ok(())
}

/// A stream looks at its token again after an hour only, unless it is told to.
async fn t05_t21_whatever_ends_a_token_ends_its_stream_at_once(db: TestDb) -> Result<()> {
    let server = LoginServer::start_with(&db, |config| {
        config.event_timing.heartbeat = Duration::from_secs(60 * 60);
    })
    .await?;
    let user_id = server.add_user(ANNA).await?;
    let session = server.session(ANNA).await?;
    for way in ["device", "command", "password", "ban"] {
        let token = server.sync_token(&session, "phone").await?;
        let stream = server.request(Method::GET, "/api/sync/events");
        let mut stream = stream.bearer_auth(&token).send().await?;
        let first = stream.chunk().await?.context("no first hint")?;
        assert!(first.starts_with(b"event: feed"), "{first:?}");
        match way {
            "device" => {
                let path = "/api/sync/devices/phone";
                server.ask(Method::DELETE, path, &session).await?;
            }
            "command" => {
                server::devices::revoke_all(&server.state, &user_id).await?;
            }
            "password" => {
                let body = json!({ "currentPassword": super::passwords::PASSWORD, "newPassword": "another battery" });
                let changed = server
                    .post("/api/auth/change-password", &session, &body)
                    .await?;
                assert_eq!(changed.status, 200, "{changed:?}");
            }
            _ => {
                let until = server::accounts::Until::Lifted;
                server::accounts::ban(&server.state, ANNA, until, None).await?;
            }
        }
        let end = async {
            while stream.chunk().await?.is_some() {}
            anyhow::Ok(())
        };
        let ended = tokio::time::timeout(PATIENCE, end).await;
        ended.with_context(|| format!("{way}: the stream goes on"))??;
    }
    Ok(())
}
