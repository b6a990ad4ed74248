//! A change of password, and what ends with it.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};
pub(super) use sync_tests::login_server::PASSWORD;
use sync_tests::{LoginServer, TestDb, login_server::Told, on_both_backends};

use super::{ANNA, BEN, HOME};

on_both_backends!(
    t21_a_change_of_password_ends_all_but_this_session,
    t21_a_change_may_renew_this_session_too,
    t21_a_token_asked_for_meanwhile_does_not_outlive_the_change,
    a_wrong_present_password_changes_nothing_and_is_limited,
    a_password_that_will_not_do_changes_nothing,
    an_account_without_a_password_is_told_so,
);

const NEW: &str = "another horse battery";

async fn change(server: &LoginServer, session: &str, body: Value) -> Result<Told> {
    server
        .post("/api/auth/change-password", session, &body)
        .await
}

fn from_to(current: &str, new: &str) -> Value {
    json!({ "currentPassword": current, "newPassword": new })
}

async fn is_session(server: &LoginServer, token: &str) -> Result<bool> {
    let answer = server
        .ask(Method::GET, "/api/auth/get-session", token)
        .await?;
    Ok(!answer.body.is_null())
}

async fn t21_a_change_of_password_ends_all_but_this_session(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    server.add_user(BEN).await?;
    let (this, other) = (server.session(ANNA).await?, server.session(ANNA).await?);
    let bens = server.session(BEN).await?;
    let tokens = [
        server.sync_token(&this, "phone").await?,
        server.sync_token(&other, "tv").await?,
    ];
    let bens_token = server.sync_token(&bens, "laptop").await?;

    let mut body = from_to(PASSWORD, NEW);
    body["revokeOtherSessions"] = json!(false);
    let changed = change(&server, &this, body).await?;
    assert_eq!(
        (changed.status, &changed.body["token"]),
        (200, &json!(null)),
        "{changed:?}"
    );
    assert_eq!(changed.body["user"]["email"], ANNA);
    for token in &tokens {
        assert_eq!(server.info(token).await?.outcome(), (401, "unauthorized"));
    }
    assert!(is_session(&server, &this).await?);
    assert!(!is_session(&server, &other).await?);
    let refused = server.ask(Method::POST, "/api/sync/token", &other).await?;
    assert_eq!(refused.outcome(), (401, "unauthorized"));
    let old = server.sign_in(HOME, ANNA, PASSWORD).await?;
    assert_eq!(old.outcome(), (401, "invalid_email_or_password"));
    assert_eq!(server.sign_in(HOME, ANNA, NEW).await?.status, 200);
    // This session gives tokens again, and nobody else was touched.
    let token = server.sync_token(&this, "phone").await?;
    assert_eq!(server.info(&token).await?.status, 200);
    assert!(is_session(&server, &bens).await?);
    assert_eq!(server.info(&bens_token).await?.status, 200);
    Ok(())
}

async fn t21_a_change_may_renew_this_session_too(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let this = server.session(ANNA).await?;
    let mut body = from_to(PASSWORD, NEW);
    body["revokeOtherSessions"] = json!(true);
    let changed = change(&server, &this, body).await?;
    let renewed = changed.text("token")?;
    assert!(changed.cookie()?.contains(&renewed), "{changed:?}");
    assert_ne!(renewed, this);
    assert!(!is_session(&server, &this).await?);
    assert!(is_session(&server, &renewed).await?);
    Ok(())
}

/// Logins with the old password and tokens of the old sessions, all while it is changed.
async fn t21_a_token_asked_for_meanwhile_does_not_outlive_the_change(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let (this, other) = (server.session(ANNA).await?, server.session(ANNA).await?);
    let tokens = async {
        for number in 0..40 {
            let body = json!({ "deviceId": format!("device-{number}") });
            server.post("/api/sync/token", &other, &body).await?;
        }
        anyhow::Ok(())
    };
    let logins = async {
        for _ in 0..4 {
            let again = server.sign_in(HOME, ANNA, PASSWORD).await?;
            if let Ok(session) = again.text("token") {
                server.post("/api/sync/token", &session, &json!({})).await?;
            }
        }
        anyhow::Ok(())
    };
    let change = change(&server, &this, from_to(PASSWORD, NEW));
    let (changed, tokens, logins) = tokio::join!(change, tokens, logins);
    tokens?;
    logins?;
    assert_eq!(changed?.status, 200);
    let devices = server.ask(Method::GET, "/api/sync/devices", &this).await?;
    assert_eq!(devices.body["devices"], json!([]));
    let sessions = server.texts("SELECT token FROM session").await?;
    assert_eq!(sessions, [this]);
    Ok(())
}

async fn a_wrong_present_password_changes_nothing_and_is_limited(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let (this, other) = (server.session(ANNA).await?, server.session(ANNA).await?);
    let token = server.sync_token(&this, "phone").await?;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let refused = change(&server, &this, from_to("wrong horse battery", NEW)).await?;
        statuses.push(refused.status);
        if refused.status == 429 {
            assert!((1..=60).contains(&refused.retry_after_s()?));
        }
    }
    assert_eq!(statuses, [&[400; 10][..], &[429; 2]].concat());
    assert!(is_session(&server, &other).await?);
    assert_eq!(server.info(&token).await?.status, 200);
    // Whoever has stolen a session hinders nobody from logging in.
    assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    server.later(60_000);
    let changed = change(&server, &this, from_to(PASSWORD, NEW)).await?;
    assert_eq!(changed.status, 200, "{changed:?}");
    Ok(())
}

async fn a_password_that_will_not_do_changes_nothing(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let this = server.session(ANNA).await?;
    let long = "x".repeat(129);
    for (body, status, code) in [
        (from_to(PASSWORD, "short"), 422, "invalid_password"),
        (from_to(PASSWORD, &long), 422, "invalid_password"),
        (json!({ "newPassword": NEW }), 422, "invalid_body"),
        (from_to("", NEW), 400, "wrong_password"),
    ] {
        let refused = change(&server, &this, body).await?;
        assert_eq!(refused.outcome(), (status, code));
    }
    assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    Ok(())
}

/// Somebody who logs in to the web app by other means.
async fn an_account_without_a_password_is_told_so(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let this = server.session(ANNA).await?;
    server
        .sql("UPDATE account SET \"providerId\" = 'github'")
        .await?;
    let refused = change(&server, &this, from_to(PASSWORD, NEW)).await?;
    assert_eq!(refused.outcome(), (400, "no_password"));
    let refused = server.sign_in(HOME, ANNA, PASSWORD).await?;
    assert_eq!(refused.outcome(), (401, "invalid_email_or_password"));
    Ok(())
}
