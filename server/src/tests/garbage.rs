//! The daily collection, with shorter days.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait, Statement};
use sync_core::{Clock, CountedIds};
use tokio::{net::TcpListener, time};

use super::harness::{START_MS, TestServer};
use crate::{AppState, Config, Running, garbage::Schedule, running::start_with};

const OFTEN: Schedule = Schedule {
    first: Duration::ZERO,
    every: Duration::from_millis(1),
};
const PATIENCE: Duration = Duration::from_secs(30);

async fn running(state: &AppState, schedule: Schedule) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    start_with(state.clone(), listener, schedule).expect("running")
}

/// An account with one tombstone and nothing else.
async fn with_a_tombstone(state: &AppState) {
    state
        .db
        .write
        .execute_unprepared(
            "INSERT INTO sync_account (id, user_id, head, horizon, mark) VALUES (1, 'u1', 1, 0, 0);
             INSERT INTO sync_feed (account, tbl, remote_id, seq, row_id, clocks, deleted_at)
             VALUES (1, 'lists', 'x', 1, 1, '[[0,0,0,1],{}]', 1);",
        )
        .await
        .expect("tombstone");
}

async fn number(state: &AppState, sql: &str) -> i64 {
    let db = &state.db.read;
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.expect("query");
    row.expect("row").try_get("", "n").expect("number")
}

const N_TOMBSTONES: &str = "SELECT count(*) AS n FROM sync_feed";
const AGE: &str = "SELECT age_ms AS n FROM sync_server";

/// Waits until a query gives this number.
async fn until(state: &AppState, sql: &str, wanted: i64) {
    let given = async {
        while number(state, sql).await != wanted {
            tokio::task::yield_now().await;
        }
    };
    time::timeout(PATIENCE, given).await.expect("in time");
}

#[tokio::test]
async fn gc_tombstones_are_forgotten_while_the_server_runs_and_not_too_early() {
    let server = TestServer::start_with(|config| config.tombstone_days = 2).await;
    with_a_tombstone(&server.state).await;
    let running = running(&server.state, OFTEN).await;
    until(&server.state, "SELECT count(*) AS n FROM sync_age", 1).await;
    for day in 1..=2 {
        assert_eq!(number(&server.state, N_TOMBSTONES).await, 1, "day {day}");
        server.clock.advance(86_400_000);
        until(&server.state, AGE, day * 86_400_000).await;
    }
    until(&server.state, N_TOMBSTONES, 0).await;
    running.stop().await.expect("stopped");
}

#[tokio::test]
async fn gc_with_0_days_nothing_is_forgotten_but_ages_are_known() {
    let server = TestServer::start_with(|config| config.tombstone_days = 0).await;
    with_a_tombstone(&server.state).await;
    let running = running(&server.state, OFTEN).await;
    for day in 1..=3 {
        until(&server.state, "SELECT count(*) AS n FROM sync_age", 1).await;
        server.clock.advance(86_400_000);
        until(&server.state, AGE, day * 86_400_000).await;
    }
    assert_eq!(number(&server.state, N_TOMBSTONES).await, 1);
    let gone = server
        .state
        .collect_garbage(Duration::from_secs(86_400))
        .await;
    assert_eq!(gone.expect("collected").n_tombstones, 1);
    running.stop().await.expect("stopped");
}

/// A clock that panics when told to.
struct Panicking(AtomicBool);

impl Clock for Panicking {
    fn now_ms(&self) -> i64 {
        assert!(!self.0.load(Ordering::SeqCst), "told to panic");
        START_MS
    }
}

#[tokio::test]
async fn gc_an_error_or_a_panic_ends_neither_the_server_nor_its_next_collection() {
    let dir = tempfile::tempdir().expect("folder");
    let config = Config {
        database_url: format!("sqlite://{}", dir.path().join("server.sqlite").display()),
        ..Config::default()
    };
    let clock = Arc::new(Panicking(AtomicBool::new(false)));
    let ids = Arc::new(CountedIds::new(1));
    let state = AppState::open_with(&config, clock.clone(), ids)
        .await
        .expect("server");
    clock.0.store(true, Ordering::SeqCst);
    let rename = "ALTER TABLE sync_age RENAME TO lost";
    state
        .db
        .write
        .execute_unprepared(rename)
        .await
        .expect("renamed");
    let running = running(&state, OFTEN).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }

    clock.0.store(false, Ordering::SeqCst);
    with_a_tombstone(&state).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    let rename = "ALTER TABLE lost RENAME TO sync_age";
    state
        .db
        .write
        .execute_unprepared(rename)
        .await
        .expect("renamed");

    until(&state, "SELECT count(*) AS n FROM sync_age", 1).await;
    running.stop().await.expect("stopped");
}

#[tokio::test]
async fn gc_a_server_that_waits_for_the_next_day_stops_at_once() {
    let server = TestServer::start().await;
    let running = running(&server.state, Schedule::daily()).await;
    time::timeout(PATIENCE, running.stop())
        .await
        .expect("in time")
        .expect("stopped");
}
