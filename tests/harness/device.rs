//! A device of a test: its own database file, driven like an app drives it, by SQL and by SeaORM.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use sync_core::{
    Clock, Device, Ids, Registry, SyncEvent, SyncReport, Transport,
    device::{Connection, Status},
};
use tempfile::TempDir;

/// A device with Zentrio's tables, or other ones, in a file of its own.
pub struct TestDevice {
    /// The engine under test.
    pub device: Device,
    /// How it reaches its server.
    pub transport: Arc<dyn Transport>,
    folder: Arc<TempDir>,
}

impl TestDevice {
    /// A fresh Zentrio database, connected to the account `user`.
    ///
    /// # Errors
    /// If the file or its tables cannot be made.
    pub async fn zentrio(
        user: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self> {
        let (folder, db) = fresh_file().await?;
        migration::up(&db, migration::Side::Device).await?;
        Self::connected(folder, db, entity::registry()?, user, clock, ids, transport).await
    }

    /// The same for a database whose tables are there already.
    ///
    /// # Errors
    /// If sync cannot be installed around the tables.
    pub async fn connected(
        folder: Arc<TempDir>,
        db: DatabaseConnection,
        registry: Registry,
        user: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self> {
        let device = Device::open(db, registry, clock, ids).await?;
        let this = Self {
            device,
            transport,
            folder,
        };
        this.sql(&format!(
            "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
             VALUES ('{user}', '{user}@example.com', '{user}', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')
             ON CONFLICT DO NOTHING"
        ))
        .await?;
        this.device
            .connect(&Connection {
                remote_url: "http://server.test".to_owned(),
                remote_user_id: user.to_owned(),
                email: None,
                auth_token: "sealed".to_owned(),
                local_user_id: user.to_owned(),
            })
            .await?;
        Ok(this)
    }

    /// A device whose database is open already, in a folder that goes with it.
    pub fn opened(folder: Arc<TempDir>, device: Device, transport: Arc<dyn Transport>) -> Self {
        Self {
            device,
            transport,
            folder,
        }
    }

    /// The database file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// Pushes and pulls.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn sync(&self) -> Result<SyncReport, sync_core::SyncError> {
        self.device.sync(&*self.transport, &|_: SyncEvent| {}).await
    }

    /// Runs statements as the app does, captured by the triggers.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sql(&self, sql: &str) -> Result<()> {
        let db = self.device.db();
        db.execute_unprepared(sql)
            .await
            .with_context(|| sql.to_owned())?;
        Ok(())
    }

    /// The rows of a query, each as one text: its columns as SQLite writes them, joined by `|`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rows(&self, query: &str) -> Result<Vec<String>> {
        rows(self.device.db(), query).await
    }

    /// The one value of a query.
    ///
    /// # Errors
    /// If there is not exactly one row.
    pub async fn one(&self, query: &str) -> Result<String> {
        let mut rows = self.rows(query).await?;
        anyhow::ensure!(
            rows.len() == 1,
            "{} rows from {query}: {rows:?}",
            rows.len()
        );
        Ok(rows.remove(0))
    }

    /// What is pending, as `table id register`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pending(&self) -> Result<Vec<String>> {
        self.rows("SELECT tbl || ' ' || row_id || ' ' || register FROM sync_pending ORDER BY 1")
            .await
    }

    /// Where it stands.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn status(&self) -> Result<Status, sync_core::SyncError> {
        self.device.status().await
    }
}

/// The name of a device's database in its folder.
pub const FILE: &str = "device.sqlite";

/// A new file with one connection, as an app opens its database.
///
/// # Errors
/// If the file cannot be made.
pub async fn fresh_file() -> Result<(Arc<TempDir>, DatabaseConnection)> {
    let folder = Arc::new(tempfile::tempdir()?);
    let db = open(&format!(
        "sqlite://{}?mode=rwc",
        folder.path().join(FILE).display()
    ))
    .await?;
    Ok((folder, db))
}

/// Opens a SQLite file with one connection.
///
/// # Errors
/// If it cannot be opened.
pub async fn open(url: &str) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| {
            use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
            options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .foreign_keys(true)
                .row_buffer_size(500)
        });
    Ok(Database::connect(options).await?)
}

/// The rows of a query on SQLite, each as one text.
///
/// # Errors
/// What the database says.
pub async fn rows(db: &DatabaseConnection, query: &str) -> Result<Vec<String>> {
    let text = format!("SELECT * FROM ({query})");
    let names = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), text))
        .await
        .with_context(|| query.to_owned())?;
    let columns = names
        .first()
        .map(sea_orm::QueryResult::column_names)
        .unwrap_or_default();
    let quoted: Vec<String> = columns
        .iter()
        .map(|c| format!("coalesce(CAST(\"{c}\" AS TEXT), 'NULL')"))
        .collect();
    if quoted.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT {} AS line FROM ({query})",
        quoted.join(" || '|' || ")
    );
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), text))
        .await?;
    rows.iter()
        .map(|row| Ok(row.try_get("", "line")?))
        .collect()
}
