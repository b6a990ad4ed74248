//! The few statements the harness itself sends.

use std::{
    hash::{BuildHasher, RandomState},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// A database name that neither this process nor another one has used, also on
/// a server that outlives them.
pub(super) fn new_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = RandomState::new().hash_one(count);
    format!("test_{}_{count}_{random:016x}", process::id())
}

pub(super) async fn create_database(admin_url: &str, name: &str) -> Result<()> {
    let statement = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
    execute(admin_url, statement).await
}

pub(super) async fn isolate(admin_url: &str, name: &str, level: &str) -> Result<()> {
    let statement = format!("ALTER DATABASE {name} SET default_transaction_isolation = '{level}'");
    execute(admin_url, statement).await
}

/// Throws out whoever is still connected.
pub(super) async fn drop_database(admin_url: &str, name: &str) -> Result<()> {
    execute(
        admin_url,
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )
    .await
}

async fn execute(url: &str, statement: String) -> Result<()> {
    let mut connection = PgConnection::connect(url)
        .await
        .with_context(|| format!("cannot connect to {url}"))?;
    connection
        .execute(AssertSqlSafe(statement.as_str()))
        .await
        .with_context(|| format!("cannot run {statement}"))?;
    connection.close().await?;
    Ok(())
}
