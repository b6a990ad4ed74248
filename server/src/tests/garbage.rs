//! The daily collection, with shorter days.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Method, StatusCode};
use sea_orm::{ConnectionTrait, Statement};
use sync_core::{Clock, CountedIds};
use tokio::{net::TcpListener, time};

use super::harness::{START_MS, TestServer};
use crate::{
    AppState, Config, Running,
    garbage::{Schedule, logins},
    running::start_with,
};

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

/// Sessions, devices and counters that have ended go; what lives stays.
#[tokio::test]
async fn gc_logins_that_have_ended_are_forgotten() {
    const ALL: [&str; 3] = [
        "SELECT count(*) AS n FROM session",
        "SELECT count(*) AS n FROM sync_device",
        "SELECT count(*) AS n FROM login_limit",
    ];
    let server = TestServer::start().await;
    let session = server.session().await;
    server
        .with_token(Method::POST, "/api/sync/token", &session)
        .await
        .text("syncToken");
    let running = running(&server.state, OFTEN).await;
    for sql in ALL {
        assert_eq!(number(&server.state, sql).await, 1, "{sql}");
    }
    for (days, left) in [
        (1, [1, 1, 0]),
        (7, [0, 1, 0]),
        (365, [0, 1, 0]),
        (360, [0, 0, 0]),
    ] {
        for _ in 0..days {
            noted(&server).await;
            server.clock.advance(86_400_000);
        }
        noted(&server).await;
        for (sql, left) in ALL.into_iter().zip(left) {
            until(&server.state, sql, left).await;
        }
    }
    running.stop().await.expect("stopped");
}

/// A clock that stands in the far future for a moment ends no login.
#[tokio::test]
async fn ck05_gc_a_clock_that_jumps_makes_it_forget_no_login() {
    let server = TestServer::start().await;
    let session = server.session().await;
    let token = server
        .with_token(Method::POST, "/api/sync/token", &session)
        .await
        .text("syncToken");
    logins::forget(&server.state).await.expect("forgotten");
    server.clock.advance(3_650 * 86_400_000);
    logins::forget(&server.state).await.expect("forgotten");
    server.clock.advance(-3_650 * 86_400_000);
    logins::forget(&server.state).await.expect("forgotten");
    for (path, token) in [
        ("/api/sync/info", &token),
        ("/api/auth/get-session", &session),
    ] {
        let answer = server.with_token(Method::GET, path, token).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(!answer.body.is_null());
    }
}

/// Waits until logins were looked through at this time.
async fn noted(server: &TestServer) {
    let now = server.clock.now_ms();
    let sql = format!(
        "SELECT count(*) AS n FROM server_setting WHERE key = 'logins_forgotten_ms' AND value = '{now}'"
    );
    until(&server.state, &sql, 1).await;
}
