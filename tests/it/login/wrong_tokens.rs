//! No token, odd ones, and those that are nearly right.

use anyhow::Result;
use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderValue},
};
use serde_json::json;
use sync_tests::{LoginServer, TestDb, login_server::Told, on_both_backends};

use super::ANNA;

on_both_backends!(
    t01_without_a_token_all_addresses_answer_alike,
    t02_odd_headers_are_no_token,
    t07_no_kind_of_token_stands_in_for_another,
    t08_a_token_with_one_byte_flipped_is_none,
);

/// Addresses that want a sync token.
const SYNC: [(Method, &str); 7] = [
    (Method::POST, "/api/sync/push"),
    (Method::GET, "/api/sync/pull"),
    (Method::GET, "/api/sync/info"),
    (Method::GET, "/api/sync/row?table=lists&remote_id=x"),
    (Method::POST, "/api/sync/rows"),
    (Method::POST, "/api/sync/compare"),
    (Method::DELETE, "/api/sync/token"),
];
/// Addresses that want a session.
const SESSION: [(Method, &str); 2] = [
    (Method::POST, "/api/sync/token"),
    (Method::POST, "/api/auth/change-password"),
];
/// Addresses that take either.
const EITHER: [(Method, &str); 2] = [
    (Method::GET, "/api/sync/devices"),
    (Method::DELETE, "/api/sync/devices/phone"),
];

fn is_unauthorized(told: &Told) -> bool {
    let challenge = told.headers.get("www-authenticate");
    told.outcome() == (401, "unauthorized") && challenge.is_some_and(|value| value == "Bearer")
}

async fn t01_without_a_token_all_addresses_answer_alike(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    let mut bodies = Vec::new();
    for (method, path) in SYNC.into_iter().chain(SESSION).chain(EITHER) {
        let answer = server.told(server.request(method, path)).await?;
        assert!(is_unauthorized(&answer), "{path}: {answer:?}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    Ok(())
}

async fn t02_odd_headers_are_no_token(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let token = server
        .sync_token(&server.session(ANNA).await?, "phone")
        .await?;
    let long = format!("Bearer {}", "x".repeat(8 << 10));
    let two = format!("Bearer {token} {token}");
    for value in [
        b"Bearer".as_slice(),
        b"Bearer ",
        b"",
        b"Bearer \xe4\xf6",
        b"Bearer \xc3\xa4",
        b"Basic YW5uYTp4",
        token.as_bytes(),
        long.as_bytes(),
        two.as_bytes(),
    ] {
        let value = HeaderValue::from_bytes(value)?;
        for (method, path) in SYNC.into_iter().chain(SESSION).chain(EITHER) {
            let request = server.request(method, path);
            let answer = server
                .told(request.header(AUTHORIZATION, value.clone()))
                .await?;
            assert!(is_unauthorized(&answer), "{path} {value:?}: {answer:?}");
        }
    }
    let twice = server.request(Method::GET, "/api/sync/info");
    let twice = server
        .told(twice.bearer_auth(&token).bearer_auth(&token))
        .await?;
    assert!(is_unauthorized(&twice), "{twice:?}");
    assert_eq!(server.info(&token).await?.status, 200);
    Ok(())
}

async fn t07_no_kind_of_token_stands_in_for_another(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let signed_in = server
        .sign_in("192.0.2.1", ANNA, super::passwords::PASSWORD)
        .await?;
    let (session, cookie) = (signed_in.text("token")?, signed_in.cookie()?);
    let token = server.sync_token(&session, "phone").await?;
    for (method, path) in SYNC {
        let answer = server.ask(method.clone(), path, &session).await?;
        assert!(is_unauthorized(&answer), "{path}: {answer:?}");
        let by_cookie = server.request(method, path).header("cookie", &cookie);
        let answer = server.told(by_cookie).await?;
        assert!(is_unauthorized(&answer), "{path} by cookie: {answer:?}");
    }
    for (method, path) in SESSION {
        let answer = server.ask(method.clone(), path, &token).await?;
        assert!(is_unauthorized(&answer), "{path}: {answer:?}");
        let as_cookie = format!("better-auth.session_token={token}");
        let answer = server
            .told(server.request(method, path).header("cookie", as_cookie))
            .await?;
        assert!(is_unauthorized(&answer), "{path} by cookie: {answer:?}");
    }
    // To sign out with a sync token ends nothing, and it is nobody's session.
    assert_eq!(
        server
            .post("/api/auth/sign-out", &token, &json!({}))
            .await?
            .status,
        200
    );
    let whose = server
        .ask(Method::GET, "/api/auth/get-session", &token)
        .await?;
    assert_eq!((whose.status, whose.body), (200, json!(null)));
    assert_eq!(server.info(&token).await?.status, 200);
    // What is stored of a token, or a token for something else, opens nothing.
    let hash = server.texts("SELECT token_hash FROM sync_device").await?;
    assert!(is_unauthorized(&server.info(&hash[0]).await?));
    server
        .sql("UPDATE sync_device SET scope = 'register'")
        .await?;
    assert!(is_unauthorized(&server.info(&token).await?));
    Ok(())
}

async fn t08_a_token_with_one_byte_flipped_is_none(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let signed_in = server
        .sign_in("192.0.2.1", ANNA, super::passwords::PASSWORD)
        .await?;
    let (session, cookie) = (signed_in.text("token")?, signed_in.cookie()?);
    let token = server.sync_token(&session, "phone").await?;
    for flipped in each_flipped(&token) {
        assert!(is_unauthorized(&server.info(&flipped).await?), "{flipped}");
    }
    for flipped in each_flipped(&session) {
        let answer = server
            .ask(Method::POST, "/api/sync/token", &flipped)
            .await?;
        assert!(is_unauthorized(&answer), "{flipped}: {answer:?}");
    }
    let (name, value) = cookie.split_once('=').unwrap_or_default();
    for flipped in each_flipped(value) {
        let request = server.request(Method::POST, "/api/sync/token");
        let answer = server
            .told(request.header("cookie", format!("{name}={flipped}")))
            .await?;
        assert!(is_unauthorized(&answer), "{flipped}: {answer:?}");
    }
    assert_eq!(server.info(&token).await?.status, 200);
    Ok(())
}

/// The text with one of its bytes another one, for each of them.
fn each_flipped(text: &str) -> impl Iterator<Item = String> {
    (0..text.len()).map(move |at| {
        let flip = |(index, byte): (usize, u8)| {
            let other = if byte == b'A' { b'B' } else { b'A' };
            char::from(if index == at { other } else { byte })
        };
        text.bytes().enumerate().map(flip).collect()
    })
}
