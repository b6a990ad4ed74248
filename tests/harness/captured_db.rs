//! A database with capture installed, wherever capture runs: on a device and on either kind of server.

use std::sync::Arc;

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use sync_core::{
    SystemClock, UuidV7,
    device::Status,
    schema::pin_clock,
    server::{Caller, PullQuery},
};

use crate::{
    Backend, InProcessServer, TestDb, TestDevice,
    text_rows::{text_row, text_rows},
};

/// Where capture runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A device's file.
    Device,
    /// A server's database.
    Server(Backend),
}

/// Zentrio's tables with a few rows of the account `u1`, all of them synced already.
///
/// One profile (1), its list `Mine` (1) with the items tt1 and tt2 (1, 2), one film half watched (1), and
/// its settings profile (1) with one addon, stream settings and appearance settings (1 each).
pub struct CapturedDb {
    server: InProcessServer,
    device: Option<TestDevice>,
}

const ROWS: &str = "
    INSERT INTO settings_profiles (user_id, name) VALUES ('u1', 'Home');
    INSERT INTO profiles (user_id, name, avatar, settings_profile_id) VALUES ('u1', 'Anna', 'a', 1);
    INSERT INTO profile_addons (settings_profile_id, addon_id) SELECT 1, id FROM addons;
    INSERT INTO stream_settings (settings_profile_id, config) VALUES (1, '{}');
    INSERT INTO appearance_settings (settings_profile_id) VALUES (1);
    INSERT INTO lists (profile_id, name) VALUES (1, 'Mine');
    INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'tt1', 'movie'), (1, 'tt2', 'movie');
    INSERT INTO watch_history (profile_id, meta_id, meta_type, position) VALUES (1, 'tt1', 'movie', 60)";

impl CapturedDb {
    /// Makes one.
    ///
    /// # Errors
    /// If there is no database, or the first sync fails.
    pub async fn at(place: Place) -> Result<Self> {
        let backend = match place {
            Place::Device => Backend::Sqlite,
            Place::Server(backend) => backend,
        };
        let database = TestDb::new(backend).await?;
        let server =
            InProcessServer::zentrio(database, Arc::new(SystemClock), Arc::new(UuidV7)).await?;
        server.add_user("u1").await?;
        let mut this = Self {
            server,
            device: None,
        };
        if place == Place::Device {
            this.device = Some(this.another_device(1).await?);
        }
        this.sql(ROWS).await?;
        this.sync().await?;
        anyhow::ensure!(
            this.pending().await?.is_empty(),
            "the first sync left something pending"
        );
        Ok(this)
    }

    /// A device's.
    ///
    /// # Errors
    /// As [`CapturedDb::at`].
    pub async fn device() -> Result<Self> {
        Self::at(Place::Device).await
    }

    /// One more device of the account, not synced yet.
    ///
    /// # Errors
    /// If it cannot be made.
    pub async fn another_device(&self, number: i64) -> Result<TestDevice> {
        let transport = self.server.transport("u1", number);
        TestDevice::zentrio("u1", Arc::new(SystemClock), Arc::new(UuidV7), transport).await
    }

    /// The server: the captured database's own, or the one that the device syncs with.
    pub fn server(&self) -> &InProcessServer {
        &self.server
    }

    /// The captured database.
    pub fn db(&self) -> &DatabaseConnection {
        match &self.device {
            Some(device) => device.device.db(),
            None => &self.server.db,
        }
    }

    /// Whether it is a Postgres database.
    pub fn is_postgres(&self) -> bool {
        self.db().get_database_backend() == DbBackend::Postgres
    }

    /// Has what is pending taken: pushed by a device, absorbed by a server.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn sync(&self) -> Result<()> {
        match &self.device {
            Some(device) => _ = device.sync().await?,
            None => {
                let caller = Caller {
                    user_id: "u1".to_owned(),
                    device: 100,
                };
                let pull = self
                    .server
                    .engine
                    .pull(&caller, &PullQuery::default())
                    .await;
                pull.map_err(|error| anyhow::anyhow!("{error:?}"))?;
            }
        }
        Ok(())
    }

    /// Runs statements as a program does that knows nothing of sync.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sql(&self, sql: &str) -> Result<()> {
        self.db()
            .execute_unprepared(sql)
            .await
            .with_context(|| sql.to_owned())?;
        Ok(())
    }

    /// The rows of a query, each as one text.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rows(&self, query: &str) -> Result<Vec<String>> {
        text_rows(self.db(), query).await
    }

    /// The one row of a query.
    ///
    /// # Errors
    /// If there is not exactly one.
    pub async fn one(&self, query: &str) -> Result<String> {
        text_row(self.db(), query).await
    }

    /// What is pending, as `table id register`; rows that are gone as `table id gone`.
    ///
    /// Fails if some row's `dirty` does not say the same.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pending(&self) -> Result<Vec<String>> {
        let mut pending = self
            .rows("SELECT tbl || ' ' || row_id || ' ' || register FROM sync_pending")
            .await?;
        pending.extend(
            self.rows("SELECT tbl || ' ' || row_id || ' gone' FROM sync_deleted")
                .await?,
        );
        pending.sort();
        let lies = self.lies().await?;
        anyhow::ensure!(
            lies.is_empty(),
            "pending is {pending:?}, but dirty is not right in {lies:?}"
        );
        Ok(pending)
    }

    /// Rows whose `dirty` does not say whether something is pending, as `table id dirty`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lies(&self) -> Result<Vec<String>> {
        let differs = if self.is_postgres() {
            "IS DISTINCT FROM"
        } else {
            "IS NOT"
        };
        let mut lies = Vec::new();
        for registered in entity::registry()?.tables() {
            let table = registered.shape.table;
            let pending = format!(
                "EXISTS (SELECT 1 FROM sync_pending WHERE tbl = '{table}' AND row_id = t.id)"
            );
            let query = format!(
                "SELECT '{table}' AS tbl, id, dirty FROM {table} t WHERE dirty {differs} {pending}"
            );
            lies.extend(self.rows(&query).await?);
        }
        Ok(lies)
    }

    /// Makes this the time of edits from now on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pin(&self, now_ms: i64) -> Result<()> {
        Ok(pin_clock(self.db(), Some(now_ms)).await?)
    }

    /// Where the device stands; none on a server.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn status(&self) -> Result<Option<Status>> {
        match &self.device {
            Some(device) => Ok(Some(device.status().await?)),
            None => Ok(None),
        }
    }

    /// The file, for another program; none on Postgres.
    pub fn file(&self) -> Option<std::path::PathBuf> {
        match &self.device {
            Some(device) => Some(device.file()),
            None => self.server.database().file(),
        }
    }

    /// Where to connect another program to.
    pub fn url(&self) -> &str {
        self.server.database().url()
    }
}

/// Makes of each function named three tests: on a device, and on a server of either kind.
#[macro_export]
macro_rules! wherever_capture_runs {
    ($($contract:ident),+ $(,)?) => {$(
        mod $contract {
            use $crate::{Backend, CapturedDb, captured_db::Place};

            #[tokio::test]
            async fn device() -> ::anyhow::Result<()> {
                super::$contract(CapturedDb::at(Place::Device).await?).await
            }

            #[tokio::test]
            async fn sqlite_server() -> ::anyhow::Result<()> {
                super::$contract(CapturedDb::at(Place::Server(Backend::Sqlite)).await?).await
            }

            #[tokio::test]
            async fn postgres_server() -> ::anyhow::Result<()> {
                super::$contract(CapturedDb::at(Place::Server(Backend::Postgres)).await?).await
            }
        }
    )+};
}
