//! The token a device syncs with: how it is got, what it opens, how it ends.

use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::harness::{Answer, EMAIL, START_MS, TestServer, request};
use crate::store;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const INFO: &str = "/api/sync/info";

/// Asks for a token as a device that tells its name.
async fn token_for(server: &TestServer, session: &str, body: Value) -> Answer {
    server
        .send(
            request(Method::POST, "/api/sync/token")
                .bearer(session)
                .json(body),
        )
        .await
}

async fn info(server: &TestServer, token: &str) -> Answer {
    server.with_token(Method::GET, INFO, token).await
}

#[tokio::test]
async fn a_session_becomes_a_token_that_syncs() {
    let server = TestServer::start().await;
    let session = server.session().await;
    let user = store::user::by_email(&server.state.db.read, EMAIL).await;
    let user = user.expect("query").expect("user");
    let answer = server
        .with_token(Method::POST, "/api/sync/token", &session)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body["userId"], user.id);
    assert_eq!(answer.body["expiresAt"], "2027-01-01T00:00:00.000Z");
    let token = answer.text("syncToken");
    let told = info(&server, &token).await;
    assert_eq!(
        (told.status, &told.body["now"]),
        (StatusCode::OK, &json!(START_MS))
    );
    let page = server
        .with_token(Method::GET, "/api/sync/pull?limit=10", &token)
        .await;
    assert_eq!(
        (page.status, &page.body["has_more"]),
        (StatusCode::OK, &json!(false)),
        "{page:?}"
    );
}

#[tokio::test]
async fn neither_kind_of_token_stands_in_for_the_other() {
    let server = TestServer::start().await;
    let session = server.session().await;
    let token = token_for(&server, &session, json!({}))
        .await
        .text("syncToken");
    info(&server, &session).await.is_error(401, "unauthorized");
    server
        .with_token(Method::POST, "/api/sync/token", &token)
        .await
        .is_error(401, "unauthorized");
    server
        .with_token(Method::DELETE, "/api/sync/token", &session)
        .await
        .is_error(401, "unauthorized");
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_synced() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    let changed: String = token.chars().rev().collect();
    for (method, path) in [
        (Method::POST, "/api/sync/push"),
        (Method::GET, "/api/sync/pull"),
        (Method::GET, INFO),
        (Method::DELETE, "/api/sync/token"),
    ] {
        let draft = || request(method.clone(), path);
        server
            .send(draft().empty())
            .await
            .is_error(401, "unauthorized");
        server
            .send(draft().bearer("").empty())
            .await
            .is_error(401, "unauthorized");
        server
            .send(draft().bearer(&changed).empty())
            .await
            .is_error(401, "unauthorized");
        server
            .send(draft().bearer(&token).bearer(&token).empty())
            .await
            .is_error(401, "unauthorized");
        let as_cookie = format!("better-auth.session_token={token}");
        server
            .send(draft().header(header::COOKIE, &as_cookie).empty())
            .await
            .is_error(401, "unauthorized");
    }
    assert_eq!(info(&server, &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_ends_a_year_after_its_last_use() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    server.clock.advance(300 * DAY_MS);
    assert_eq!(info(&server, &token).await.status, StatusCode::OK);
    server.clock.advance(300 * DAY_MS);
    assert_eq!(
        info(&server, &token).await.status,
        StatusCode::OK,
        "use has put the end off"
    );
    server.clock.advance(365 * DAY_MS);
    info(&server, &token).await.is_error(401, "token_expired");
    server
        .with_token(Method::GET, "/api/sync/pull", &token)
        .await
        .is_error(401, "token_expired");
}

#[tokio::test]
async fn ck05_a_clock_that_was_wrong_for_a_while_ends_no_login() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    server.clock.advance(3_650 * DAY_MS);
    info(&server, &token).await.is_error(401, "token_expired");
    server.clock.advance(-3_650 * DAY_MS);
    assert_eq!(info(&server, &token).await.status, StatusCode::OK);
    // Behind for a while: the end that was put off stays where it was.
    server.clock.advance(-300 * DAY_MS);
    assert_eq!(info(&server, &token).await.status, StatusCode::OK);
    server.clock.advance(300 * DAY_MS + 364 * DAY_MS);
    assert_eq!(info(&server, &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_given_back_is_dead_at_once() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    let gone = server
        .with_token(Method::DELETE, "/api/sync/token", &token)
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    info(&server, &token).await.is_error(401, "unauthorized");
}

#[tokio::test]
async fn a_device_has_one_token_and_another_device_its_own() {
    let server = TestServer::start().await;
    let session = server.session().await;
    let phone = json!({ "deviceId": "phone", "deviceName": "Ann's phone" });
    let first = token_for(&server, &session, phone.clone())
        .await
        .text("syncToken");
    let other = token_for(&server, &session, json!({ "deviceId": "tv" }))
        .await
        .text("syncToken");
    let second = token_for(&server, &session, phone).await.text("syncToken");
    info(&server, &first).await.is_error(401, "unauthorized");
    assert_eq!(info(&server, &other).await.status, StatusCode::OK);
    assert_eq!(info(&server, &second).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_device_may_not_call_itself_just_anything() {
    let server = TestServer::start().await;
    let session = server.session().await;
    for id in ["", "a b", "a\nb", &"x".repeat(65)] {
        token_for(&server, &session, json!({ "deviceId": id }))
            .await
            .is_error(422, "invalid_body");
    }
}

#[tokio::test]
async fn the_database_holds_no_sync_token() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    let files: Vec<_> = std::fs::read_dir(server.dir.path())
        .expect("folder")
        .flatten()
        .collect();
    assert!(!files.is_empty());
    for file in files {
        let bytes = std::fs::read(file.path()).expect("file");
        assert!(
            !bytes
                .windows(token.len())
                .any(|part| part == token.as_bytes()),
            "{file:?}"
        );
    }
}
