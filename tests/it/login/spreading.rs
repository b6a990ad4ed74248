//! Guessers with many addresses, and servers that share a database.

use anyhow::Result;
use sync_tests::{LoginServer, TestDb, login_server::PASSWORD, on_both_backends};

use super::{ANNA, HOME};

on_both_backends!(
    t14_many_addresses_slow_down_newcomers_only,
    t15_neighbours_of_an_ipv6_address_count_as_one,
    t14_servers_on_one_database_count_together,
    t14_a_clock_that_was_wrong_locks_nobody_out,
);

const WRONG: &str = "wrong horse battery";

/// T14: guesses from a hundred and more addresses. Whoever logged in before from where he is goes on as
/// ever; at a new place, a login waits for some seconds.
async fn t14_many_addresses_slow_down_newcomers_only(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    let mut statuses = Vec::new();
    for number in 0..140 {
        let from = format!("203.0.113.{number}");
        statuses.push(server.sign_in(&from, ANNA, WRONG).await?.status);
    }
    assert_eq!(statuses, [vec![401; 100], vec![429; 40]].concat());
    for _ in 0..3 {
        assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    }
    let waits = server.sign_in("198.51.100.1", ANNA, PASSWORD).await?;
    assert_eq!(waits.status, 429);
    assert!((1..=5).contains(&waits.retry_after_s()?), "{waits:?}");
    server.later(waits.retry_after_s()? * 1_000);
    assert_eq!(
        server.sign_in("198.51.100.1", ANNA, PASSWORD).await?.status,
        200
    );
    // From now on it is one of her own places.
    let guess = server.sign_in("203.0.113.200", ANNA, WRONG).await?;
    assert_eq!(guess.status, 401, "the right one was not counted");
    assert_eq!(
        server.sign_in("203.0.113.201", ANNA, WRONG).await?.status,
        429
    );
    assert_eq!(
        server.sign_in("198.51.100.1", ANNA, PASSWORD).await?.status,
        200
    );
    Ok(())
}

async fn t15_neighbours_of_an_ipv6_address_count_as_one(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    let mut statuses = Vec::new();
    for number in 0..12 {
        let from = format!("2001:db8:0:1::{number:x}");
        statuses.push(server.sign_in(&from, ANNA, WRONG).await?.status);
    }
    assert_eq!(statuses, [vec![401; 10], vec![429; 2]].concat());
    let other = server.sign_in("2001:db8:0:2::1", ANNA, WRONG).await?;
    assert_eq!(other.status, 401);
    Ok(())
}

async fn t14_servers_on_one_database_count_together(db: TestDb) -> Result<()> {
    let (one, two) = (
        LoginServer::start(&db).await?,
        LoginServer::start(&db).await?,
    );
    one.add_user(ANNA).await?;
    assert_eq!(one.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    let mut statuses = Vec::new();
    for number in 0..12 {
        let server = if number % 2 == 0 { &one } else { &two };
        statuses.push(server.sign_in("203.0.113.1", ANNA, WRONG).await?.status);
    }
    assert_eq!(statuses, [vec![401; 10], vec![429; 2]].concat());
    assert_eq!(two.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    Ok(())
}

/// Counted ten years ahead: who comes after the clock was put right waits for nothing.
async fn t14_a_clock_that_was_wrong_locks_nobody_out(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let ten_years = 3_650 * sync_tests::login_server::DAY_MS;
    server.later(ten_years);
    for _ in 0..11 {
        server.sign_in(HOME, ANNA, WRONG).await?;
    }
    server.later(-ten_years);
    assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    for _ in 0..10 {
        assert_eq!(server.sign_in(HOME, ANNA, WRONG).await?.status, 401);
    }
    assert_eq!(server.sign_in(HOME, ANNA, WRONG).await?.status, 429);
    Ok(())
}
