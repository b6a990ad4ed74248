//! The background job with a real database and a real server, in time that passes when a test says so.

mod failures;
mod login;
mod together;
mod triggers;

use anyhow::Result;
use sync_tests::{HttpServer, TestDb, background::App};

const EMAIL: &str = "anna@example.org";

/// A server with an account, and an app of that account that has nothing to do.
async fn world(db: TestDb) -> Result<(HttpServer, App)> {
    let server = HttpServer::start(db).await?;
    server.add_user(EMAIL).await?;
    let app = App::connected(&server, EMAIL).await?;
    Ok((server, app))
}
