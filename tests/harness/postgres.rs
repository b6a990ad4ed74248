//! Throw-away Postgres databases: no port, no password, no `sudo`, no set-up;
//! as root and as anybody else.
//!
//! The first database of a process starts a [`Cluster`] that all its tests
//! share. `TEST_PG_URL`, with `{db}` where a database's name belongs, names a
//! running server to use instead, such as `postgres://me:secret@host/{db}`; its
//! user must be allowed to make databases. `TEST_PG_ISOLATION`, such as
//! `serializable`, is how their transactions are isolated by default.

mod cluster;
mod connection;
mod folder;
mod keeper;
mod programs;
#[cfg(test)]
mod tests;

use std::{env, sync::OnceLock, thread};

use anyhow::{Context, Error, Result, ensure};
use tokio::{runtime, task::spawn_blocking};

pub use self::cluster::{Cluster, Durability, Stop};
pub use self::programs::program;

/// One empty database, dropped with this value.
#[derive(Debug)]
pub struct Database {
    admin_url: String,
    url: String,
    name: String,
}

impl Database {
    /// Makes a database on the server that the tests of this process share.
    ///
    /// # Errors
    /// If Postgres is not installed, or `TEST_PG_URL` is wrong.
    pub async fn fresh() -> Result<Self> {
        Self::fresh_at(env::var("TEST_PG_ISOLATION").ok().as_deref()).await
    }

    /// The same, where transactions are isolated so if they do not say it themselves.
    ///
    /// # Errors
    /// As [`Database::fresh`].
    pub async fn fresh_at(isolation: Option<&str>) -> Result<Self> {
        static SHARED: OnceLock<Result<Server, String>> = OnceLock::new();
        let server = spawn_blocking(|| SHARED.get_or_init(|| Server::shared().map_err(describe)));
        let database = Self::on(server.await?).await?;
        if let Some(level) = isolation {
            connection::isolate(&database.admin_url, &database.name, level).await?;
        }
        Ok(database)
    }

    /// Makes a database that keeps what was committed, on a server of this
    /// process with Postgres' own settings, whatever `TEST_PG_URL` says: a
    /// benchmark must not depend on how somebody's server is set up.
    ///
    /// # Errors
    /// If Postgres is not installed.
    pub async fn durable() -> Result<Self> {
        static DURABLE: OnceLock<Result<Server, String>> = OnceLock::new();
        let start = || Server::own(Durability::Durable).map_err(describe);
        let server = spawn_blocking(move || DURABLE.get_or_init(start));
        Self::on(server.await?).await
    }

    /// Where to connect.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn on(server: &Result<Server, String>) -> Result<Self> {
        let server = server
            .as_ref()
            .map_err(|reason| Error::msg(reason.clone()))?;
        let name = connection::new_name();
        let admin_url = server.url("postgres");
        connection::create_database(&admin_url, &name).await?;
        Ok(Self {
            admin_url,
            url: server.url(&name),
            name,
        })
    }
}

impl Drop for Database {
    /// Databases take 7 MB each, so they do not wait for the server's end.
    fn drop(&mut self) {
        let removed = thread::scope(|scope| scope.spawn(|| self.remove()).join());
        match removed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("{} stays behind: {error:#}", self.name),
            Err(_) => eprintln!("{} stays behind: its removal panicked", self.name),
        }
    }
}

impl Database {
    /// On a runtime of its own: that of the test may be ending.
    fn remove(&self) -> Result<()> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(connection::drop_database(&self.admin_url, &self.name))
    }
}

/// A server that databases are made on.
struct Server {
    /// A URL with `{db}` in it.
    urls: String,
    /// Kept, so that it lives; none for somebody else's server.
    _cluster: Option<Cluster>,
}

impl Server {
    fn shared() -> Result<Self> {
        let Ok(urls) = env::var("TEST_PG_URL") else {
            return Self::own(Durability::Forgetful);
        };
        ensure!(
            urls.contains("{db}"),
            "TEST_PG_URL has no {{db}} in it: {urls}"
        );
        Ok(Self {
            urls,
            _cluster: None,
        })
    }

    fn own(durability: Durability) -> Result<Self> {
        let cluster = Cluster::start_blocking(durability).context("cannot start Postgres")?;
        Ok(Self {
            urls: cluster.url("{db}"),
            _cluster: Some(cluster),
        })
    }

    fn url(&self, database: &str) -> String {
        self.urls.replace("{db}", database)
    }
}

/// Every test of the process has to be told, and an error cannot be copied.
fn describe(error: Error) -> String {
    format!("{error:#}")
}
