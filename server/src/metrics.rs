//! What an operator's monitoring reads, in Prometheus' text format.
//!
//! Served on an address of its own and only where one is configured: numbers about all accounts are for
//! nobody who syncs.

use std::{
    sync::{Once, OnceLock},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
    routing::get,
};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sync_core::protocol::{PushAnswer, VerdictKind};
use tokio::time;

use crate::AppState;

const REQUESTS: &str = "zentrio_http_requests_total";
const SECONDS: &str = "zentrio_http_request_seconds";
const CONNECTIONS: &str = "zentrio_connections";
const ROWS: &str = "zentrio_pushed_rows_total";
const DATABASE_UP: &str = "zentrio_database_up";
const DATABASE_CONNECTIONS: &str = "zentrio_database_connections";

/// Bounds of the histogram, from a check of a cursor to a first sync.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0, 120.0];
/// How long the database may take to say that it is there.
const PING: Duration = Duration::from_secs(3);

/// The one address of the metrics' own listener.
pub(crate) fn router(state: AppState) -> Router {
    handle();
    Router::new()
        .route("/metrics", get(render))
        .with_state(state)
}

async fn render(State(state): State<AppState>) -> String {
    let ping = time::timeout(PING, state.db.read.ping()).await;
    gauge!(DATABASE_UP).set(if matches!(ping, Ok(Ok(()))) { 1.0 } else { 0.0 });
    for (state_of, number) in state.db_connections() {
        gauge!(DATABASE_CONNECTIONS, "state" => state_of).set(f64::from(number));
    }
    let handle = handle();
    handle.map_or_else(String::new, |handle| {
        handle.run_upkeep();
        handle.render()
    })
}

/// Counts and times a request under its route, never under the address that was asked for: anybody can make
/// up any number of those.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none".to_owned(), |path| path.as_str().to_owned());
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let begun = Instant::now();
    let answer = next.run(request).await;
    let status = answer.status().as_u16().to_string();
    histogram!(SECONDS, "route" => route.clone(), "method" => method.clone())
        .record(begun.elapsed().as_secs_f64());
    counter!(REQUESTS, "route" => route, "method" => method, "status" => status).increment(1);
    answer
}

/// Counts the verdicts of a push.
pub(crate) fn pushed(answer: &PushAnswer) {
    for table in &answer.tables {
        for verdict in &table.rows {
            let kind = match verdict.verdict {
                VerdictKind::Applied => "applied",
                VerdictKind::Merged => "merged",
                VerdictKind::Unchanged => "unchanged",
                VerdictKind::Rejected => "rejected",
            };
            counter!(ROWS, "verdict" => kind).increment(1);
        }
    }
}

/// How many connections are open.
pub(crate) fn connections(number: usize) {
    gauge!(CONNECTIONS).set(number as f64);
}

/// What collects for the whole process; without it everything above costs next to nothing.
fn handle() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let seconds = Matcher::Full(SECONDS.to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &BUCKETS);
        match builder.map(PrometheusBuilder::install_recorder) {
            Ok(Ok(handle)) => {
                describe();
                let _ = HANDLE.set(handle);
            }
            Ok(Err(error)) | Err(error) => tracing::error!(%error, "no metrics"),
        }
    });
    HANDLE.get()
}

fn describe() {
    describe_counter!(REQUESTS, "Requests answered, by route, method and status.");
    describe_histogram!(
        SECONDS,
        "How long requests took, in seconds, by route and method."
    );
    describe_gauge!(CONNECTIONS, "Open connections of clients.");
    describe_counter!(ROWS, "Rows that devices pushed, by verdict.");
    describe_gauge!(
        DATABASE_UP,
        "Whether the database answered just now: 1 or 0."
    );
    describe_gauge!(
        DATABASE_CONNECTIONS,
        "Connections to the database, by state."
    );
}
