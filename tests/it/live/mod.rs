//! Devices that listen learn that their feed has moved.

mod ends;
mod hints;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use sea_orm::ConnectionTrait;
use server::EventTiming;
use sync_core::{
    SystemClock, UuidV7,
    http_transport::{FeedHints, HttpTransport},
};
use sync_tests::{Backend, HttpServer, TestDb, TestDevice};
use tokio::time;

const EMAIL: &str = "ann@example.com";
const NEW_PROFILE: &str =
    "INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user";
/// So long that it does not come in a test.
const NEVER: Duration = Duration::from_secs(60 * 60);
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Nothing is found by looking again and again: what is told was told by a hint.
const HINTS_ALONE: EventTiming = EventTiming {
    heartbeat: NEVER,
    poll: NEVER,
    probe: Duration::from_millis(50),
    reconnect: Duration::from_millis(50),
};

async fn server(db: &Arc<TestDb>, timing: EventTiming) -> Result<HttpServer> {
    HttpServer::start_with(db.clone(), |config| config.event_timing = timing).await
}

/// A stream of hints, and the first of them.
async fn listen(transport: &HttpTransport) -> Result<(FeedHints, String)> {
    let mut hints = transport.events().await?;
    let head = next(&mut hints).await?.context("no first hint")?;
    Ok((hints, head))
}

/// The next hint; none at the stream's end.
async fn next(hints: &mut FeedHints) -> Result<Option<String>> {
    let hint = time::timeout(PATIENCE, hints.next())
        .await
        .context("waited in vain for a hint")??;
    Ok(hint.map(|hint| hint.head))
}

/// Waits until the end is told at which the device stands; others may be told before.
async fn until_head(hints: &mut FeedHints, device: &TestDevice) -> Result<()> {
    let cursor = device.one("SELECT cursor FROM sync_state").await?;
    until(hints, &cursor).await
}

async fn until(hints: &mut FeedHints, cursor: &str) -> Result<()> {
    loop {
        if next(hints).await?.context("the stream has ended")? == cursor {
            return Ok(());
        }
    }
}

/// A device of the token's account that reaches the server at `url`.
async fn device_at(url: &str, token: &str) -> Result<TestDevice> {
    let transport = Arc::new(HttpTransport::new(url, Some(token.to_owned()))?);
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
    TestDevice::zentrio("local", clock, ids, transport).await
}

/// Ends the connections on which servers listen to Postgres; there are none to SQLite.
async fn cut_listeners(db: &TestDb) -> Result<()> {
    if db.backend() == Backend::Sqlite {
        return Ok(());
    }
    let connection = db.connect().await?;
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'zentrio-server events'";
    connection.execute_unprepared(sql).await?;
    Ok(())
}
