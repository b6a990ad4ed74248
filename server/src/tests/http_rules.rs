//! What holds for every address: methods, media types, sizes, headers.

use http::{Method, StatusCode, header};
use serde_json::json;

use super::harness::{TestServer, credentials, request};

const PUSH: &str = "/api/sync/push";
const SIGN_IN: &str = "/api/auth/sign-in/email";

#[tokio::test]
async fn unknown_addresses_and_methods_are_answered_as_json() {
    let server = TestServer::start().await;
    for path in [
        "/",
        "/api",
        "/api/sync",
        "/api/sync/push/",
        "/api/auth/../sync/info",
        "/%00",
    ] {
        server
            .send(request(Method::GET, path).empty())
            .await
            .is_error(404, "not_found");
    }
    for (method, path, allowed) in [
        (Method::GET, PUSH, "POST"),
        (Method::POST, "/api/sync/pull", "GET,HEAD"),
        (Method::TRACE, PUSH, "POST"),
        (Method::OPTIONS, PUSH, "POST"),
        (Method::GET, SIGN_IN, "POST"),
        (Method::PUT, "/api/sync/token", "POST,DELETE"),
    ] {
        let answer = server.send(request(method, path).empty()).await;
        answer.is_error(405, "method_not_allowed");
        assert_eq!(answer.headers[header::ALLOW], allowed);
    }
}

#[tokio::test]
async fn a_body_must_be_plain_json() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    let draft = || request(Method::POST, PUSH).bearer(&token);
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "json",
    ] {
        let answer = server
            .send(draft().header(header::CONTENT_TYPE, media_type).body("{}"))
            .await;
        answer.is_error(415, "unsupported_media_type");
    }
    server
        .send(draft().body("{}"))
        .await
        .is_error(415, "unsupported_media_type");
    let squeezed = draft()
        .header(header::CONTENT_ENCODING, "br")
        .json(json!({}));
    server
        .send(squeezed)
        .await
        .is_error(415, "unsupported_media_type");
    let form = request(Method::POST, SIGN_IN)
        .header(header::CONTENT_TYPE, "text/plain")
        .body("{}");
    server
        .send(form)
        .await
        .is_error(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    let push = |bytes: usize| {
        let draft = request(Method::POST, PUSH)
            .bearer(&token)
            .header(header::CONTENT_TYPE, "application/json");
        draft.body(vec![b' '; bytes])
    };
    server
        .send(push((8 << 20) + 1))
        .await
        .is_error(413, "body_too_large");
    server
        .send(push(8 << 20))
        .await
        .is_error(400, "bad_request");
    let long = credentials("ann@example.org", &"x".repeat(64 << 10));
    server
        .post(SIGN_IN, long)
        .await
        .is_error(413, "body_too_large");
}

#[tokio::test]
async fn a_body_that_is_not_what_it_should_be_is_told_from_one_that_is_no_json() {
    let server = TestServer::start().await;
    let send = |body: &'static str| {
        request(Method::POST, SIGN_IN)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body)
    };
    for body in [
        "",
        "{",
        "{\"email\":\"a\",\"password\":\"b\"} {}",
        "\u{feff}{}",
        "{\"email\":\"\\ud800\"}",
    ] {
        server.send(send(body)).await.is_error(400, "bad_request");
    }
    for body in [
        "[]",
        "{}",
        "null",
        r#"{"email":1,"password":"x"}"#,
        r#"{"email":"a","email":"b","password":"x"}"#,
    ] {
        server.send(send(body)).await.is_error(422, "invalid_body");
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    for limit in ["-1", "4294967296", "x", ""] {
        let path = format!("/api/sync/pull?limit={limit}");
        server
            .with_token(Method::GET, &path, &token)
            .await
            .is_error(400, "bad_request");
    }
}

#[tokio::test]
async fn health_needs_no_token_and_nothing_is_for_other_origins() {
    let server = TestServer::start().await;
    for path in ["/healthz", "/readyz"] {
        let answer = server
            .send(
                request(Method::GET, path)
                    .header(header::ORIGIN, "https://evil.example")
                    .empty(),
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            !answer
                .headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        );
    }
}
