//! A database that the web app uses too: its sessions and passwords are good here, and stay good there.

use anyhow::Result;
use reqwest::Method;
use serde_json::json;
use sync_tests::{
    LoginServer, TestDb,
    login_server::{PASSWORD, Told},
    on_both_backends,
};

use super::{ANNA, HOME};

on_both_backends!(
    its_sessions_are_good_by_bearer_and_by_cookie,
    its_passwords_are_good_and_changed_ones_are_of_its_kind,
    new_accounts_beside_it_are_of_its_kind,
    alone_passwords_are_argon2id,
);

/// Computed with Python's `hashlib.scrypt` from the NFKC form of the password below.
const HASH: &str = "8f1d2c3b4a5968778695a4b3c2d1e0ff:\
    bbad67aef4f63ce1cca2d47aaed903cb555f9ebdb593d0ab95f4d75619f6195a\
    8096a2f2a3360381806420360c010ac953c6c6397a350234c2ebb90dd4240eeb";
const ITS_PASSWORD: &str = "p\u{e4}ssw\u{f6}rd fine";
const OLD: &str = "old@example.org";
const SECRET: &str = "better-auth-secret-123456789012";
const SESSION: &str = "nUZXJdy1IMjIVbpP0XjDDKcFW8PqTuDr";
/// Computed with Python's `hmac` under the secret.
const COOKIE: &str = "better-auth.session_token=nUZXJdy1IMjIVbpP0XjDDKcFW8PqTuDr.mA1cR4JQxHZ%2FmPGszEWxJ7VyUq5AoVDz%2Ft8RFAfLFyM%3D";

/// A user with a password and a session, as the web app writes them.
async fn with_its_user(db: &TestDb) -> Result<LoginServer> {
    let server = LoginServer::start_with(db, |config| {
        config.auth_secret = Some(SECRET.to_owned());
        config.require_verified_email = true;
    })
    .await?;
    let (then, later) = ("'2025-01-01T00:00:00.000Z'", "'2026-01-03T00:00:00.000Z'");
    server
        .sql(&format!(
            r#"INSERT INTO "user" (id, email, name, "emailVerified", "createdAt", "updatedAt")
               VALUES ('U1', '{OLD}', 'Old', TRUE, {then}, {then});
               INSERT INTO account (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
               VALUES ('A1', 'U1', 'credential', 'U1', '{HASH}', {then}, {then});
               INSERT INTO session (id, "expiresAt", token, "createdAt", "updatedAt", "userId")
               VALUES ('S1', {later}, '{SESSION}', {then}, {then}, 'U1')"#
        ))
        .await?;
    Ok(server)
}

async fn is_u1(told: Told) -> Result<()> {
    assert_eq!(
        (told.status, &told.body["userId"]),
        (200, &json!("U1")),
        "{told:?}"
    );
    Ok(())
}

async fn its_sessions_are_good_by_bearer_and_by_cookie(db: TestDb) -> Result<()> {
    let server = with_its_user(&db).await?;
    let path = "/api/sync/token";
    is_u1(server.ask(Method::POST, path, SESSION).await?).await?;
    let signed = COOKIE.split_once('=').unwrap_or_default().1;
    let signed = signed.replace("%2F", "/").replace("%3D", "=");
    is_u1(server.ask(Method::POST, path, &signed).await?).await?;
    for cookie in [COOKIE.to_owned(), format!("a=b; __Secure-{COOKIE}; c=d")] {
        is_u1(
            server
                .told(server.request(Method::POST, path).header("cookie", cookie))
                .await?,
        )
        .await?;
    }
    let whose = server
        .ask(Method::GET, "/api/auth/get-session", SESSION)
        .await?;
    assert_eq!(whose.body["session"]["id"], "S1");
    // Unsigned, a cookie is nothing.
    let unsigned = server.request(Method::POST, path);
    let unsigned = unsigned.header("cookie", format!("better-auth.session_token={SESSION}"));
    assert_eq!(server.told(unsigned).await?.status, 401);
    Ok(())
}

async fn its_passwords_are_good_and_changed_ones_are_of_its_kind(db: TestDb) -> Result<()> {
    let server = with_its_user(&db).await?;
    let stored = || server.texts("SELECT password FROM account WHERE id = 'A1'");
    let session = server
        .sign_in(HOME, OLD, ITS_PASSWORD)
        .await?
        .text("token")?;
    assert_eq!(stored().await?, [HASH], "a login rewrites nothing");
    let change = json!({ "currentPassword": ITS_PASSWORD, "newPassword": PASSWORD });
    let changed = server
        .post("/api/auth/change-password", &session, &change)
        .await?;
    assert_eq!(changed.status, 200, "{changed:?}");
    is_of_its_kind(&stored().await?[0]);
    assert_eq!(server.sign_in(HOME, OLD, PASSWORD).await?.status, 200);
    server::accounts::set_password(&server.state, OLD, "a third password".to_owned()).await?;
    is_of_its_kind(&stored().await?[0]);
    assert_eq!(
        server.sign_in(HOME, OLD, "a third password").await?.status,
        200
    );
    Ok(())
}

/// Also before anybody has a password there: the web app's own table tells.
async fn new_accounts_beside_it_are_of_its_kind(db: TestDb) -> Result<()> {
    let other = db.connect().await?;
    let table = "CREATE TABLE verification (id TEXT PRIMARY KEY, identifier TEXT, value TEXT)";
    sea_orm::ConnectionTrait::execute_unprepared(&other, table).await?;
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    is_of_its_kind(&server.texts("SELECT password FROM account").await?[0]);
    assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    Ok(())
}

async fn alone_passwords_are_argon2id(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let stored = server.texts("SELECT password FROM account").await?;
    assert!(stored[0].starts_with("$argon2id$"), "{stored:?}");
    Ok(())
}

/// `salt:key` in hexadecimal, 16 and 64 bytes.
fn is_of_its_kind(stored: &str) {
    let parts: Vec<usize> = stored.split(':').map(str::len).collect();
    assert_eq!(parts, [32, 128], "{stored}");
    assert_ne!(stored, HASH);
}
