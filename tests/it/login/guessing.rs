//! One stranger who guesses.

use anyhow::Result;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use sync_tests::{LoginServer, TestDb, login_server::PASSWORD, on_both_backends};

use super::{ANNA, BEN, ELSEWHERE, HOME};

on_both_backends!(
    t14_a_guesser_waits_and_the_owner_does_not,
    t14_guesses_at_once_are_counted_all,
    t14_right_passwords_are_not_counted,
    t15_one_address_tries_many_accounts,
    t15_only_a_trusted_proxy_is_believed,
    t16_t17_nobody_can_tell_who_has_an_account,
    tokens_of_an_account_are_limited,
);

const WRONG: &str = "wrong horse battery";
const WRONG_TOLD: (u16, &str) = (401, "invalid_email_or_password");

/// A thousand guesses from one address: ten are looked at.
async fn t14_a_guesser_waits_and_the_owner_does_not(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let at_home = server.sign_in(HOME, ANNA, PASSWORD).await?;
    assert_eq!(at_home.status, 200);
    let mut n_looked_at = 0;
    for _ in 0..1_000 {
        let refused = server.sign_in(ELSEWHERE, ANNA, WRONG).await?;
        if refused.outcome() == WRONG_TOLD {
            n_looked_at += 1;
            continue;
        }
        assert_eq!(refused.outcome(), (429, "too_many_attempts"));
        assert!((1..=60).contains(&refused.retry_after_s()?), "{refused:?}");
    }
    assert_eq!(n_looked_at, 10);
    // The owner at home and at a third place notices nothing of it.
    for place in [HOME, "203.0.113.9"] {
        assert_eq!(
            server.sign_in(place, ANNA, PASSWORD).await?.status,
            200,
            "{place}"
        );
    }
    // Where the guesses come from, the right password works after the wait that was told.
    let refused = server.sign_in(ELSEWHERE, ANNA, PASSWORD).await?;
    assert_eq!(refused.status, 429);
    server.later(refused.retry_after_s()? * 1_000);
    assert_eq!(server.sign_in(ELSEWHERE, ANNA, PASSWORD).await?.status, 200);
    // Another account is another matter, also there.
    server.add_user(BEN).await?;
    assert_eq!(server.sign_in(ELSEWHERE, BEN, PASSWORD).await?.status, 200);
    Ok(())
}

async fn t14_guesses_at_once_are_counted_all(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    // What the address may try is more, so that it is the account's limit that holds.
    let guesses = (0..60).map(|_| server.sign_in(ELSEWHERE, ANNA, WRONG));
    let mut n_looked_at = 0;
    for refused in futures_util::future::join_all(guesses).await {
        let refused = refused?;
        match refused.outcome() {
            WRONG_TOLD => n_looked_at += 1,
            outcome => assert_eq!(outcome, (429, "too_many_attempts")),
        }
    }
    assert_eq!(n_looked_at, 10);
    Ok(())
}

async fn t14_right_passwords_are_not_counted(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    for _ in 0..15 {
        assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    }
    for _ in 0..10 {
        assert_eq!(
            server.sign_in(HOME, ANNA, WRONG).await?.outcome(),
            WRONG_TOLD
        );
    }
    assert_eq!(server.sign_in(HOME, ANNA, WRONG).await?.status, 429);
    Ok(())
}

/// T15: one wrong password for each of a thousand accounts.
async fn t15_one_address_tries_many_accounts(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    // Anna has logged in from there: she keeps what is her own.
    assert_eq!(server.sign_in(ELSEWHERE, ANNA, PASSWORD).await?.status, 200);
    let mut n_looked_at = 0;
    for number in 0..1_000 {
        let email = format!("user-{number}@example.org");
        let refused = server.sign_in(ELSEWHERE, &email, WRONG).await?;
        match refused.outcome() {
            WRONG_TOLD => n_looked_at += 1,
            outcome => {
                assert_eq!(outcome, (429, "too_many_attempts"));
                assert!((1..=20).contains(&refused.retry_after_s()?), "{refused:?}");
            }
        }
    }
    assert_eq!(n_looked_at, 30);
    assert_eq!(server.sign_in(ELSEWHERE, ANNA, PASSWORD).await?.status, 200);
    server.add_user(BEN).await?;
    let refused = server.sign_in(ELSEWHERE, BEN, PASSWORD).await?;
    assert_eq!(refused.status, 429);
    assert_eq!(server.sign_in(HOME, BEN, PASSWORD).await?.status, 200);
    server.later(refused.retry_after_s()? * 1_000);
    assert_eq!(server.sign_in(ELSEWHERE, BEN, PASSWORD).await?.status, 200);
    Ok(())
}

/// Otherwise everybody would choose his own address.
async fn t15_only_a_trusted_proxy_is_believed(db: TestDb) -> Result<()> {
    let server = LoginServer::start_with(&db, |config| config.trust_proxy = None).await?;
    for number in 0..40 {
        let from = format!("203.0.113.{number}");
        let email = format!("user-{number}@example.org");
        let expected = if number < 30 { 401 } else { 429 };
        let refused = server.sign_in(&from, &email, WRONG).await?;
        assert_eq!(refused.status, expected, "{number}");
    }
    Ok(())
}

/// Answers are equal; how long they take is printed, not judged: machines that test are busy. That the
/// work is the same is shown where it is done, in `server/src/auth/password.rs`.
async fn t16_t17_nobody_can_tell_who_has_an_account(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..50 {
        for (times, email) in times.iter_mut().zip([ANNA, "nobody@example.org"]) {
            // Nobody is made to wait, as each comes from another place and at another time.
            server.later(60_000);
            let begun = Instant::now();
            let refused = server
                .sign_in(&format!("203.0.113.{round}"), email, WRONG)
                .await?;
            times.push(begun.elapsed());
            assert_eq!(refused.outcome(), WRONG_TOLD);
            let mut headers = refused.headers;
            headers.remove("date");
            let shown = format!("{headers:?} {}", refused.body);
            assert!(!shown.contains(email), "{shown}");
        }
    }
    let [known, unknown] = times.map(median);
    #[expect(clippy::print_stderr, reason = "a measurement to be read")]
    {
        eprintln!("median of 50: known user {known:?}, unknown user {unknown:?}");
    }
    // Nor are they told by which of them is made to wait.
    for email in [ANNA, "nobody@example.org"] {
        let mut outcomes = Vec::new();
        for _ in 0..12 {
            outcomes.push(server.sign_in(HOME, email, WRONG).await?.status);
        }
        assert_eq!(outcomes, [&[401; 10][..], &[429; 2]].concat(), "{email}");
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

async fn tokens_of_an_account_are_limited(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let session = server.session(ANNA).await?;
    for number in 0..100 {
        server
            .sync_token(&session, &format!("device-{number}"))
            .await?;
    }
    let refused = server.post("/api/sync/token", &session, &json!({})).await?;
    assert_eq!(refused.outcome(), (429, "too_many_attempts"));
    // The others go on, and so does a device that gives its token back.
    let ended = server
        .ask(Method::DELETE, "/api/sync/devices/device-7", &session)
        .await?;
    assert_eq!(ended.status, 204);
    let health = server.told(server.request(Method::GET, "/healthz")).await?;
    assert_eq!(health.status, 200);
    server.later(refused.retry_after_s()? * 1_000);
    server.sync_token(&session, "device-7").await?;
    Ok(())
}
