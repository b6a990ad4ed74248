//! One throw-away Postgres cluster, reachable by a socket file only.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use tokio::task::spawn_blocking;

use super::{connection, folder, keeper::Keeper, programs};

/// A Postgres of this process' own, gone without trace when it is dropped or
/// the process ends, in whatever way.
///
/// A test that stops the server needs one; others share, see
/// [`Database::fresh`](super::Database::fresh).
pub struct Cluster {
    keeper: Arc<Mutex<Keeper>>,
    pub(super) folder: PathBuf,
}

/// What of a committed transaction is left when the machine loses power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Perhaps nothing: nothing waits for a disk. For tests, also those that
    /// stop the server in any way.
    Forgetful,
    /// Everything, as Postgres comes. For benchmarks.
    Durable,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// In good order: open transactions are rolled back, connections closed.
    Fast,
    /// As by a crash: the next start recovers from the log.
    Immediate,
}

impl Cluster {
    /// Makes and starts a cluster, in a good half second.
    ///
    /// # Errors
    /// If Postgres is not installed or refuses; the error has what it wrote.
    pub async fn start(durability: Durability) -> Result<Self> {
        spawn_blocking(move || Self::start_blocking(durability)).await?
    }

    pub(super) fn start_blocking(durability: Durability) -> Result<Self> {
        let programs = programs::folder()?;
        let folder = folder::make(durability)?;
        let user = programs::substitute_for_root(folder.path())?;
        if let Some(user) = user {
            chown(folder.path(), Some(user.uid), Some(user.gid))?;
        }
        let mut keeper = Keeper::start(&programs, folder.path(), user)?;
        let folder = folder.keep();
        keeper.order("init")?;
        configure(&folder, durability)?;
        keeper.order("start")?;
        Ok(Self {
            keeper: Arc::new(Mutex::new(keeper)),
            folder,
        })
    }

    /// Where to connect to one of the databases; `postgres` always exists.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display();
        format!("postgres://postgres@localhost:5432/{database}?host={folder}")
    }

    /// Makes an empty database, which lives as long as the cluster, and tells
    /// its URL.
    ///
    /// # Errors
    /// If the server is stopped.
    pub async fn create_database(&self) -> Result<String> {
        let name = connection::new_name();
        connection::create_database(&self.url("postgres"), &name).await?;
        Ok(self.url(&name))
    }

    /// Stops the server and returns when it is down; the data stay.
    ///
    /// # Errors
    /// If it is not running.
    pub async fn stop(&self, how: Stop) -> Result<()> {
        self.order(match how {
            Stop::Fast => "stop fast",
            Stop::Immediate => "stop immediate",
        })
        .await
    }

    /// Starts a stopped server and returns when it takes connections, at the
    /// same URLs as before.
    ///
    /// # Errors
    /// If it is running.
    pub async fn start_again(&self) -> Result<()> {
        self.order("start").await
    }

    /// [`stop`](Self::stop), then [`start_again`](Self::start_again).
    ///
    /// # Errors
    /// As theirs.
    pub async fn restart(&self, how: Stop) -> Result<()> {
        self.stop(how).await?;
        self.start_again().await
    }

    async fn order(&self, order: &'static str) -> Result<()> {
        let keeper = Arc::clone(&self.keeper);
        spawn_blocking(move || {
            let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
            keeper.order(order)
        })
        .await?
    }
}

fn configure(folder: &Path, durability: Durability) -> Result<()> {
    let socket_folder = folder.display();
    let mut settings = format!(
        "listen_addresses = ''\n\
         port = 5432\n\
         unix_socket_directories = '{socket_folder}'\n\
         max_connections = 200\n\
         timezone = 'UTC'\n"
    );
    if durability == Durability::Forgetful {
        settings += "fsync = off\nfull_page_writes = off\n";
        // It may be in memory.
        settings += "max_wal_size = 128MB\nmin_wal_size = 32MB\n";
    }
    let file = folder.join("data/postgresql.conf");
    let mut file = OpenOptions::new().append(true).open(file)?;
    file.write_all(settings.as_bytes())
        .context("cannot configure Postgres")
}
