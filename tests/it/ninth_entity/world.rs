//! Two devices and a server around tables that a test brings along.

use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;
use sea_orm::DatabaseConnection;
use sync_core::{Registry, SystemClock, UuidV7, schema::Side};
use sync_tests::{InProcessServer, TestDb, TestDevice, device::fresh_file};

/// The tables of a test.
#[async_trait]
pub trait Tables: Send + Sync {
    /// Creates them in a database that has Zentrio's.
    async fn create(&self, db: &DatabaseConnection, side: Side) -> Result<()>;
    /// What is synced.
    fn registry(&self) -> Result<Registry>;
    /// The account.
    fn user(&self) -> &'static str {
        "u1"
    }
}

/// A server and two devices of one account.
pub struct World {
    pub server: InProcessServer,
    pub a: TestDevice,
    pub b: TestDevice,
}

impl World {
    /// Makes one, with the server in `database`.
    pub async fn with(database: TestDb, tables: &dyn Tables) -> Result<Self> {
        let db = database.connect().await?;
        migration::up(&db, migration::Side::Server).await?;
        tables.create(&db, Side::Server).await?;
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
        let server = InProcessServer::with(database, db, tables.registry()?, clock, ids).await?;
        server.add_user(tables.user()).await?;
        let a = device(&server, tables, 1).await?;
        let b = device(&server, tables, 2).await?;
        Ok(Self { server, a, b })
    }

    /// Both devices have all that either has.
    pub async fn settle(&self) -> Result<()> {
        for device in [&self.a, &self.b, &self.a] {
            device.sync().await?;
            let status = device.status().await?;
            anyhow::ensure!(status.rejected.is_empty(), "{:?}", status.rejected);
            anyhow::ensure!(status.quarantined.is_empty(), "{:?}", status.quarantined);
        }
        for device in [&self.a, &self.b] {
            let pending = device.pending().await?;
            anyhow::ensure!(pending.is_empty(), "{pending:?}");
        }
        Ok(())
    }
}

async fn device(server: &InProcessServer, tables: &dyn Tables, number: i64) -> Result<TestDevice> {
    let (folder, db) = fresh_file().await?;
    migration::up(&db, migration::Side::Device).await?;
    tables.create(&db, Side::Device).await?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
    let transport = server.transport(tables.user(), number);
    TestDevice::connected(
        folder,
        db,
        tables.registry()?,
        tables.user(),
        clock,
        ids,
        transport,
    )
    .await
}
