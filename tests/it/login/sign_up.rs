//! Making an account as a stranger.

use anyhow::Result;
use reqwest::Method;
use serde_json::json;
use sync_tests::{
    LoginServer, TestDb,
    login_server::{PASSWORD, Told},
    on_both_backends,
};

use super::{ANNA, BEN, ELSEWHERE, HOME};

on_both_backends!(
    r05_two_who_take_one_name_at_once_are_one,
    t18_a_taken_name_is_told_but_not_a_thousand_times,
    where_addresses_are_verified_nobody_is_in_before,
    where_sign_up_is_off_nothing_is_told,
);

async fn sign_up(server: &LoginServer, from: &str, email: &str) -> Result<Told> {
    let body = json!({ "email": email, "password": PASSWORD, "name": "N" });
    let request = server.request(Method::POST, "/api/auth/sign-up/email");
    server
        .told(request.header("x-forwarded-for", from).json(&body))
        .await
}

async fn r05_two_who_take_one_name_at_once_are_one(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    let both = tokio::join!(
        sign_up(&server, HOME, ANNA),
        sign_up(&server, ELSEWHERE, " Anna@Example.ORG ")
    );
    let mut statuses = [both.0?.status, both.1?.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(server.texts("SELECT email FROM \"user\"").await?, [ANNA]);
    assert_eq!(
        server
            .texts("SELECT \"providerId\" FROM account")
            .await?
            .len(),
        1
    );
    Ok(())
}

/// T18: it is said that an address is taken (409), because a person has to know; how often is limited.
async fn t18_a_taken_name_is_told_but_not_a_thousand_times(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let before = server
        .texts("SELECT CAST(\"updatedAt\" AS TEXT) || password FROM account")
        .await?;
    let mut told = Vec::new();
    for _ in 0..40 {
        told.push(sign_up(&server, HOME, ANNA).await?);
    }
    let outcomes: Vec<_> = told.iter().map(Told::outcome).collect();
    let expected = [
        vec![(409, "email_taken"); 30],
        vec![(429, "too_many_attempts"); 10],
    ];
    assert_eq!(outcomes, expected.concat());
    assert!((1..=60).contains(&told[39].retry_after_s()?));
    // The account is as it was, and others sign up elsewhere, or here after a while.
    let after = server
        .texts("SELECT CAST(\"updatedAt\" AS TEXT) || password FROM account")
        .await?;
    assert_eq!(after, before);
    assert_eq!(sign_up(&server, ELSEWHERE, BEN).await?.status, 200);
    server.later(60_000);
    assert_eq!(
        sign_up(&server, HOME, "carl@example.org").await?.status,
        200
    );
    assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    Ok(())
}

async fn where_addresses_are_verified_nobody_is_in_before(db: TestDb) -> Result<()> {
    let verified = |config: &mut server::Config| config.require_verified_email = true;
    let server = LoginServer::start_with(&db, verified).await?;
    let up = sign_up(&server, HOME, ANNA).await?;
    assert_eq!(
        (up.status, &up.body["token"]),
        (200, &json!(null)),
        "{up:?}"
    );
    assert_eq!(up.body["user"]["emailVerified"], false);
    assert!(up.cookie().is_err());
    // Only who knows the password is told why.
    let refused = server.sign_in(HOME, ANNA, PASSWORD).await?;
    assert_eq!(refused.outcome(), (403, "email_not_verified"));
    let refused = server.sign_in(HOME, ANNA, "wrong horse battery").await?;
    assert_eq!(refused.outcome(), (401, "invalid_email_or_password"));
    server::accounts::verify_email(&server.state, ANNA).await?;
    assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    // Whom the administrator adds is vouched for.
    server.add_user(BEN).await?;
    assert_eq!(server.sign_in(HOME, BEN, PASSWORD).await?.status, 200);
    Ok(())
}

async fn where_sign_up_is_off_nothing_is_told(db: TestDb) -> Result<()> {
    let server = LoginServer::start_with(&db, |config| config.allow_sign_up = false).await?;
    server.add_user(ANNA).await?;
    for email in [ANNA, BEN, "nonsense"] {
        let refused = sign_up(&server, HOME, email).await?;
        assert_eq!(refused.outcome(), (403, "sign_up_disabled"));
    }
    Ok(())
}
