//! Hints from SQLite: its file tells each connection whether another one has changed it, whoever that was.

use std::{str::FromStr, sync::Arc};

use sqlx::{
    ConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};

use super::Shared;

/// Looks at the file now and then, as long as anybody listens.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut connection = None;
    let mut seen = None;
    while !shared.ended_within(shared.timing.probe).await {
        if shared.listeners.is_empty() {
            continue;
        }
        match version(&mut connection, &shared.url).await {
            Ok(version) if seen == Some(version) => {}
            Ok(version) => {
                seen = Some(version);
                shared.listeners.all_moved();
                shared.listeners.edited();
            }
            Err(error) => {
                tracing::debug!(%error, "cannot look at the database's file");
                (connection, seen) = (None, None);
            }
        }
    }
}

/// A number that is another one after each change by another connection.
async fn version(connection: &mut Option<SqliteConnection>, url: &str) -> Result<i64, sqlx::Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => {
            let options = SqliteConnectOptions::from_str(url)?.read_only(true);
            connection.insert(options.connect().await?)
        }
    };
    sqlx::query_scalar("PRAGMA data_version")
        .fetch_one(connection)
        .await
}
