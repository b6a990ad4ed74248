//! One empty database of either kind, and tests that must hold on both.

use std::{fmt, path::PathBuf};

use anyhow::{Context, Result};
use sea_orm::{ConnectOptions, DatabaseConnection};
use tempfile::TempDir;

use crate::postgres;

/// A kind of database that the project runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A SQLite file, as on every device and a small server.
    Sqlite,
    /// A Postgres database, on a server only.
    Postgres,
}

impl Backend {
    /// Both, for a loop; for a test see [`on_both_backends`](crate::on_both_backends).
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
        })
    }
}

/// An empty database that nobody else uses, removed with this value.
///
/// ```
/// use sync_tests::{Backend, TestDb};
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// for backend in Backend::ALL {
///     let db = TestDb::new(backend).await?;
///     let connection = db.connect().await?;
///     connection.execute_unprepared("CREATE TABLE note (id integer)").await?;
/// }
/// # anyhow::Ok(()) })?;
/// # use sea_orm::ConnectionTrait as _;
/// # anyhow::Ok(())
/// ```
#[derive(Debug)]
pub struct TestDb {
    url: String,
    storage: Storage,
}

/// What is to be removed.
#[derive(Debug)]
enum Storage {
    File(TempDir),
    Database(#[expect(dead_code, reason = "held to be dropped")] postgres::Database),
}

const FILE_NAME: &str = "test.sqlite";

impl TestDb {
    /// Makes a database of this kind.
    ///
    /// # Errors
    /// If there is no room for a file, or no Postgres.
    pub async fn new(backend: Backend) -> Result<Self> {
        match backend {
            Backend::Sqlite => Self::sqlite(),
            Backend::Postgres => Self::postgres().await,
        }
        .with_context(|| format!("no {backend} database to test with"))
    }

    fn sqlite() -> Result<Self> {
        let folder = TempDir::with_prefix("sync-test-")?;
        let file = folder.path().join(FILE_NAME);
        Ok(Self {
            url: format!("sqlite://{}?mode=rwc", file.display()),
            storage: Storage::File(folder),
        })
    }

    async fn postgres() -> Result<Self> {
        Ok(Self::of(postgres::Database::fresh().await?))
    }

    /// A database on Postgres where every transaction is serializable that does not say otherwise.
    ///
    /// # Errors
    /// If there is no Postgres.
    pub async fn serializable() -> Result<Self> {
        let database = postgres::Database::fresh_at(Some("serializable")).await?;
        Ok(Self::of(database))
    }

    fn of(database: postgres::Database) -> Self {
        Self {
            url: database.url().to_owned(),
            storage: Storage::Database(database),
        }
    }

    /// Where to connect, as `--database-url` takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which kind it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self.storage {
            Storage::File(_) => Backend::Sqlite,
            Storage::Database(_) => Backend::Postgres,
        }
    }

    /// The file, as `--database` takes it, which is there from the first
    /// connection on; none for Postgres.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        match &self.storage {
            Storage::File(folder) => Some(folder.path().join(FILE_NAME)),
            Storage::Database(_) => None,
        }
    }

    /// Opens a plain connection, to look at what is stored or to write as
    /// another program would. The code under test opens its own.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn connect(&self) -> Result<DatabaseConnection> {
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(1).sqlx_logging(false);
        Ok(sea_orm::Database::connect(options).await?)
    }
}

/// Makes of each function named two tests, one on each kind of database, which
/// are called after it: `a_rule::sqlite` and `a_rule::postgres`.
///
/// ```
/// # use sync_tests::{TestDb, on_both_backends};
/// async fn a_rule(db: TestDb) -> anyhow::Result<()> {
///     assert!(!db.url().is_empty());
///     Ok(())
/// }
///
/// on_both_backends!(a_rule);
/// ```
#[macro_export]
macro_rules! on_both_backends {
    ($($contract:ident),+ $(,)?) => {$(
        mod $contract {
            #[tokio::test]
            async fn sqlite() -> ::anyhow::Result<()> {
                super::$contract($crate::TestDb::new($crate::Backend::Sqlite).await?).await
            }

            #[tokio::test]
            async fn postgres() -> ::anyhow::Result<()> {
                super::$contract($crate::TestDb::new($crate::Backend::Postgres).await?).await
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;

    use super::*;

    on_both_backends!(
        a_database_is_empty_and_ones_own,
        a_database_goes_with_its_value
    );

    async fn a_database_is_empty_and_ones_own(db: TestDb) -> Result<()> {
        let other = TestDb::new(db.backend()).await?;
        for each in [&db, &other] {
            let connection = each.connect().await?;
            connection
                .execute_unprepared("CREATE TABLE note (id integer)")
                .await?;
        }
        Ok(())
    }

    async fn a_database_goes_with_its_value(db: TestDb) -> Result<()> {
        let (url, file) = (db.url().to_owned(), db.file());
        db.connect().await?.close().await?;
        assert!(file.as_ref().is_none_or(|file| file.exists()));

        drop(db);

        assert!(sea_orm::Database::connect(&url).await.is_err());
        Ok(())
    }
}
