//! Making an account, logging in and out.

use http::{Method, StatusCode, header};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, IntoActiveModel};
use serde_json::json;

use super::harness::{Answer, EMAIL, PASSWORD, TestServer, credentials, request};
use crate::store;

#[tokio::test]
async fn a_new_account_is_logged_in_and_can_log_in_again() {
    let server = TestServer::start().await;
    let up = server.sign_up().await;
    assert_eq!(up.status, StatusCode::OK, "{up:?}");
    assert_eq!(up.body["user"]["email"], EMAIL);

    let again = server.sign_in(" Ann@Example.org ", PASSWORD).await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");
    assert_eq!(again.body["user"], up.body["user"]);
    assert_ne!(again.text("token"), up.text("token"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let server = TestServer::start().await;
    server.sign_up().await;
    let wrong = server.sign_in(EMAIL, "wrong horse battery").await;
    let unknown = server.sign_in("bob@example.org", PASSWORD).await;
    let nonsense = server.sign_in("not an address", "").await;
    wrong.is_error(401, "invalid_email_or_password");
    let shown = |mut answer: Answer| {
        answer.headers.remove("x-request-id");
        (answer.status, answer.headers, answer.body)
    };
    let wrong = shown(wrong);
    for other in [unknown, nonsense] {
        assert_eq!(shown(other), wrong);
    }
}

#[tokio::test]
async fn what_will_not_do_for_an_account_is_said_by_code() {
    let server = TestServer::start().await;
    server.sign_up().await;
    for (body, status, code) in [
        (
            credentials(" ANN@example.org", PASSWORD),
            409,
            "email_taken",
        ),
        (credentials("ann", PASSWORD), 422, "invalid_email"),
        (
            credentials("bob@example.org", "short"),
            422,
            "invalid_password",
        ),
        (
            json!({ "email": "bob@example.org", "password": PASSWORD, "name": "a\nb" }),
            422,
            "invalid_name",
        ),
        (json!({ "email": "bob@example.org" }), 422, "invalid_body"),
    ] {
        server
            .post("/api/auth/sign-up/email", body)
            .await
            .is_error(status, code);
    }
}

#[tokio::test]
async fn two_at_once_cannot_take_the_same_address() {
    let server = TestServer::start().await;
    let (one, two) = tokio::join!(server.sign_up(), server.sign_up());
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn sign_up_can_be_switched_off() {
    let server = TestServer::start_with(|config| config.allow_sign_up = false).await;
    server.sign_up().await.is_error(403, "sign_up_disabled");
}

#[tokio::test]
async fn a_session_works_by_bearer_and_by_cookie_until_signed_out() {
    let server = TestServer::start().await;
    let up = server.sign_up().await;
    let cookie = up.cookie();
    let by_cookie = || {
        request(Method::POST, "/api/sync/token")
            .header(header::COOKIE, &cookie)
            .empty()
    };
    assert_eq!(server.send(by_cookie()).await.status, StatusCode::OK);
    let by_bearer = server
        .with_token(Method::POST, "/api/sync/token", &up.text("token"))
        .await;
    assert_eq!(by_bearer.status, StatusCode::OK);

    let out = request(Method::POST, "/api/auth/sign-out")
        .header(header::COOKIE, &cookie)
        .empty();
    let out = server.send(out).await;
    assert_eq!(out.body, json!({ "success": true }));
    assert!(
        out.headers[header::SET_COOKIE]
            .to_str()
            .expect("cookie")
            .contains("Max-Age=0")
    );
    server.send(by_cookie()).await.is_error(401, "unauthorized");
    server
        .with_token(Method::POST, "/api/sync/token", &up.text("token"))
        .await
        .is_error(401, "unauthorized");
}

#[tokio::test]
async fn signing_out_without_a_session_is_fine() {
    let server = TestServer::start().await;
    assert_eq!(
        server.post("/api/auth/sign-out", json!({})).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let server = TestServer::start().await;
    let session = server.session().await;
    server.clock.advance(7 * 24 * 60 * 60 * 1000);
    server
        .with_token(Method::POST, "/api/sync/token", &session)
        .await
        .is_error(401, "unauthorized");
}

#[tokio::test]
async fn logging_in_ends_the_session_that_the_browser_had() {
    let server = TestServer::start().await;
    let before = server.sign_up().await;
    let again = request(Method::POST, "/api/auth/sign-in/email")
        .header(header::COOKIE, &before.cookie())
        .json(credentials(EMAIL, PASSWORD));
    let again = server.send(again).await;
    assert_ne!(again.text("token"), before.text("token"));
    server
        .with_token(Method::POST, "/api/sync/token", &before.text("token"))
        .await
        .is_error(401, "unauthorized");
}

#[tokio::test]
async fn a_session_not_to_be_remembered_ends_with_the_browser() {
    let server = TestServer::start().await;
    server.sign_up().await;
    let body = json!({ "email": EMAIL, "password": PASSWORD, "rememberMe": false });
    let answer = server.post("/api/auth/sign-in/email", body).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().expect("cookie");
    assert!(!cookie.contains("Max-Age"), "{cookie}");
    assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn over_https_the_cookie_is_for_https() {
    let https =
        |config: &mut crate::Config| config.public_url = Some("https://sync.example.org".into());
    let server = TestServer::start_with(https).await;
    let cookie = server.sign_up().await.headers[header::SET_COOKIE].clone();
    let cookie = cookie.to_str().expect("cookie");
    assert!(
        cookie.starts_with("__Secure-better-auth.session_token="),
        "{cookie}"
    );
    assert!(cookie.ends_with("; Secure"), "{cookie}");
}

/// As Better Auth leaves them in a database that is adopted.
#[tokio::test]
async fn an_account_and_a_session_that_another_program_made_work() {
    let server = TestServer::start().await;
    let hash = "8f1d2c3b4a5968778695a4b3c2d1e0ff:\
                bbad67aef4f63ce1cca2d47aaed903cb555f9ebdb593d0ab95f4d75619f6195a\
                8096a2f2a3360381806420360c010ac953c6c6397a350234c2ebb90dd4240eeb";
    for sql in [
        r#"INSERT INTO "user"(id, email, name, "emailVerified", "createdAt", "updatedAt")
           VALUES ('U1', 'old@example.org', 'Old', 0, '2025-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z')"#,
        &format!(
            r#"INSERT INTO account(id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
               VALUES ('A1', 'U1', 'credential', 'U1', '{hash}', '2025-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z')"#
        ),
        r#"INSERT INTO session(id, "expiresAt", token, "createdAt", "updatedAt", "userId")
           VALUES ('S1', '2026-01-03T00:00:00.000Z', 'nUZXJdy1IMjIVbpP', '2025-12-31T00:00:00.000Z', '2025-12-31T00:00:00.000Z', 'U1')"#,
    ] {
        server
            .state
            .db
            .write
            .execute_unprepared(sql)
            .await
            .expect("row");
    }
    let by_password = server
        .sign_in("old@example.org", "p\u{e4}ssw\u{f6}rd fine")
        .await;
    assert_eq!(by_password.body["user"]["id"], "U1", "{by_password:?}");
    server
        .sign_in("old@example.org", "wrong")
        .await
        .is_error(401, "invalid_email_or_password");
    server
        .sign_in("nobody@example.org", "wrong")
        .await
        .is_error(401, "invalid_email_or_password");
    let by_session = server
        .with_token(Method::POST, "/api/sync/token", "nUZXJdy1IMjIVbpP")
        .await;
    assert_eq!(by_session.body["userId"], "U1", "{by_session:?}");
}

#[tokio::test]
async fn a_banned_account_gets_neither_session_nor_token() {
    let server = TestServer::start().await;
    let session = server.sign_up().await.text("token");
    let user = store::user::by_email(&server.state.db.read, EMAIL)
        .await
        .expect("query")
        .expect("user");
    let mut user = user.into_active_model();
    user.banned = Set(Some(true));
    user.update(&server.state.db.write).await.expect("ban");
    server
        .sign_in(EMAIL, PASSWORD)
        .await
        .is_error(403, "banned");
    server
        .sign_in(EMAIL, "wrong")
        .await
        .is_error(401, "invalid_email_or_password");
    server
        .with_token(Method::POST, "/api/sync/token", &session)
        .await
        .is_error(403, "banned");
}
