//! Sessions: who has one, and how it begins and ends.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};
use sync_tests::{
    LoginServer, TestDb,
    login_server::{DAY_MS, PASSWORD, Told},
    on_both_backends,
};

use super::{ANNA, BEN, HOME};

on_both_backends!(
    t22_a_session_that_was_there_before_the_login_is_not_the_logins,
    a_session_tells_whose_it_is,
    a_session_that_has_ended_is_nobodys,
);

async fn whose(server: &LoginServer, cookie: &str) -> Result<Value> {
    let request = server.request(Method::GET, "/api/auth/get-session");
    Ok(server.told(request.header("cookie", cookie)).await?.body)
}

async fn sign_in_with(server: &LoginServer, cookie: &str, email: &str) -> Result<Told> {
    let request = server.request(Method::POST, "/api/auth/sign-in/email");
    let body = json!({ "email": email, "password": PASSWORD });
    server
        .told(request.header("cookie", cookie).json(&body))
        .await
}

/// T22: a cookie that somebody planted in the browser, made up or of his own session.
async fn t22_a_session_that_was_there_before_the_login_is_not_the_logins(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    server.add_user(BEN).await?;
    let name = "better-auth.session_token";
    let theirs = server.sign_in(HOME, BEN, PASSWORD).await?.cookie()?;
    for planted in [
        format!("{name}=made-up"),
        format!("{name}=made-up.c2lnbmF0dXJl"),
        theirs,
    ] {
        let signed_in = sign_in_with(&server, &planted, ANNA).await?;
        let own = signed_in.cookie()?;
        assert_ne!(own, planted);
        assert!(!planted.contains(&signed_in.text("token")?));
        assert_eq!(whose(&server, &own).await?["user"]["email"], ANNA);
        assert_eq!(
            whose(&server, &planted).await?,
            json!(null),
            "the old one is dead"
        );
    }
    // Each login has a session of its own.
    let (one, two) = (server.session(ANNA).await?, server.session(ANNA).await?);
    assert_ne!(one, two);
    Ok(())
}

async fn a_session_tells_whose_it_is(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    let user_id = server.add_user(ANNA).await?;
    let signed_in = server.sign_in(HOME, ANNA, PASSWORD).await?;
    let token = signed_in.text("token")?;
    let by_bearer = server
        .ask(Method::GET, "/api/auth/get-session", &token)
        .await?;
    assert_eq!(by_bearer.status, 200);
    assert_eq!(by_bearer.body, whose(&server, &signed_in.cookie()?).await?);
    let (session, user) = (&by_bearer.body["session"], &by_bearer.body["user"]);
    assert_eq!(user, &signed_in.body["user"]);
    let expected = json!({
        "id": user_id, "email": ANNA, "name": "anna", "emailVerified": true, "image": null,
        "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!(user, &expected);
    for (field, value) in [
        ("userId", user_id.as_str()),
        ("token", &token),
        ("createdAt", "2026-01-01T00:00:00.000Z"),
        ("expiresAt", "2026-01-08T00:00:00.000Z"),
    ] {
        assert_eq!(session[field], value, "{session}");
    }
    Ok(())
}

async fn a_session_that_has_ended_is_nobodys(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let (signed_out, expired) = (server.session(ANNA).await?, server.session(ANNA).await?);
    server
        .post("/api/auth/sign-out", &signed_out, &json!({}))
        .await?;
    server.later(7 * DAY_MS);
    for token in [signed_out.as_str(), &expired, "never given out"] {
        let answer = server
            .ask(Method::GET, "/api/auth/get-session", token)
            .await?;
        assert_eq!((answer.status, answer.body), (200, json!(null)));
        let refused = server.ask(Method::POST, "/api/sync/token", token).await?;
        assert_eq!(refused.outcome(), (401, "unauthorized"));
    }
    Ok(())
}
