//! Opening the database, SQLite or Postgres, as the URL says.

use std::{fs::OpenOptions, io, path::Path, str::FromStr, time::Duration};

use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use sqlx::{
    Executor,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use sync_core::server::ServerDb;

use crate::{Config, Error};

/// How long a request waits for a connection before it is told to come again.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process that writes the file.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Rows that SQLite's thread reads ahead: each time it has to wait costs a change of threads.
const SQLITE_ROW_BUFFER: usize = 500;
const SQLITE_READERS: u32 = 4;
/// One round trip. A bare ROLLBACK would write a warning to Postgres' log whenever there is nothing to
/// roll back, so nearly always. In a transaction that failed it is an error, and the pool then drops
/// the connection.
const END_ANY_TRANSACTION: &str = "BEGIN; ROLLBACK";

/// Opens the database of the configuration; a missing SQLite file is created.
pub async fn open(config: &Config) -> Result<ServerDb, Error> {
    let url = config.database_url.as_str();
    match url.split(':').next() {
        Some("sqlite") => open_sqlite(url).await,
        Some("postgres" | "postgresql") => open_postgres(url, config.database_connections).await,
        _ => Err(Error::Config(
            "the database URL must begin with sqlite:// or postgres://".to_owned(),
        )),
    }
}

/// One writer, because SQLite has but one and queueing here is fairer than its busy loop; and readers
/// that cannot write.
async fn open_sqlite(url: &str) -> Result<ServerDb, Error> {
    let parsed = SqliteConnectOptions::from_str(url)
        .map_err(|e| Error::Config(format!("cannot read the database URL: {e}")))?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(Error::Config(
            "the database must be a file: in memory it would end with the server".to_owned(),
        ));
    }
    create_private(parsed.get_filename())?;
    let write = connect(url, 1, |options| {
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .foreign_keys(true)
                .busy_timeout(SQLITE_BUSY_TIMEOUT)
                .row_buffer_size(SQLITE_ROW_BUFFER)
        });
    })
    .await?;
    let read = connect(url, SQLITE_READERS, |options| {
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .read_only(true)
                .busy_timeout(SQLITE_BUSY_TIMEOUT)
                .row_buffer_size(SQLITE_ROW_BUFFER)
        });
    })
    .await?;
    Ok(ServerDb { write, read })
}

/// One pool for everything, whose connections are reset before each use: sqlx can hand out one that a
/// cancelled request left inside a transaction, and what is written in there is lost.
async fn open_postgres(url: &str, connections: u32) -> Result<ServerDb, Error> {
    let pool = connect(url, connections, |options| {
        options
            .test_before_acquire(false)
            .map_sqlx_postgres_before_acquire(|connection, _| {
                Box::pin(async move {
                    connection.execute(END_ANY_TRANSACTION).await?;
                    Ok(true)
                })
            })
            .map_sqlx_postgres_opts(|postgres| {
                postgres.application_name("zentrio-server").options([
                    ("client_min_messages", "error"),
                    ("lock_timeout", "15s"),
                    ("statement_timeout", "60s"),
                    ("idle_in_transaction_session_timeout", "60s"),
                    // Pages are read in the feed's order, which its index has: collecting and sorting them
                    // reads the whole feed for each page as long as Postgres has not analysed it.
                    ("enable_bitmapscan", "off"),
                ])
            });
    })
    .await?;
    Ok(ServerDb {
        write: pool.clone(),
        read: pool,
    })
}

async fn connect(
    url: &str,
    connections: u32,
    adjust: impl FnOnce(&mut ConnectOptions),
) -> Result<DatabaseConnection, Error> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false);
    adjust(&mut options);
    Ok(Database::connect(options).await?)
}

/// Creates the file for its owner only: it holds secrets. SQLite gives the files beside it the same mode.
fn create_private(file: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(Error::Config(format!(
            "cannot create {}: {e}",
            file.display()
        ))),
    }
}
