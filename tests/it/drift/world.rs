//! A server and devices whose versions change.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use anyhow::{Result, ensure};
use sea_orm::DatabaseConnection;
use sync_core::{
    Registry, SystemClock, UuidV7,
    device::BatchLimits,
    server::{ServerDb, SyncServer},
};
use sync_tests::{
    Faulty, InProcessServer, TestDb, TestDevice,
    device::{fresh_file, open},
    snapshot::query,
};
use tempfile::TempDir;

use super::tables::Version;

/// A server with one account.
pub struct World {
    pub server: InProcessServer,
    n_devices: AtomicI64,
}

/// A device of the account.
pub struct Member {
    device: TestDevice,
    pub net: Arc<Faulty>,
    number: i64,
    folder: Arc<TempDir>,
}

impl World {
    /// A server of this version.
    pub async fn new(database: TestDb, version: Version) -> Result<Self> {
        let db = database.connect().await?;
        migration::up(&db, migration::Side::Server).await?;
        version.migrate(&db).await?;
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
        let server = InProcessServer::with(database, db, version.registry()?, clock, ids).await?;
        server.add_user("u1").await?;
        let n_devices = AtomicI64::new(0);
        Ok(Self { server, n_devices })
    }

    /// The server's next start is that of another version.
    pub async fn server_becomes(&mut self, version: Version) -> Result<()> {
        version.migrate(&self.server.db).await?;
        let db = ServerDb {
            write: self.server.db.clone(),
            read: self.server.db.clone(),
        };
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
        let engine = SyncServer::new(db, version.registry()?, clock, ids);
        engine.install().await?;
        self.server.engine = engine;
        Ok(())
    }

    /// One more device.
    pub async fn device(&self, version: Version) -> Result<Member> {
        let (folder, db) = fresh_file().await?;
        migration::up(&db, migration::Side::Device).await?;
        version.migrate(&db).await?;
        let number = self.n_devices.fetch_add(1, Ordering::SeqCst) + 1;
        self.open(folder, db, version.registry()?, number).await
    }

    /// The device's next start is that of another version.
    pub async fn becomes(&self, member: Member, version: Version) -> Result<Member> {
        let (folder, db, number) = member.closed().await?;
        version.migrate(&db).await?;
        self.open(folder, db, version.registry()?, number).await
    }

    /// The device's next start is that of a program which syncs this.
    pub async fn opens(&self, member: Member, registry: Registry) -> Result<Member> {
        let (folder, db, number) = member.closed().await?;
        self.open(folder, db, registry, number).await
    }

    /// A file that was changed while it was closed, opened by this version.
    pub async fn reopened(
        &self,
        folder: Arc<TempDir>,
        db: DatabaseConnection,
        version: Version,
        number: i64,
    ) -> Result<Member> {
        self.open(folder, db, version.registry()?, number).await
    }

    /// The device reaches the server that there is now.
    pub fn reaches(&self, member: &mut Member) {
        member.net = Faulty::new(self.server.transport("u1", member.number));
        member.device.transport = member.net.clone();
    }

    async fn open(
        &self,
        folder: Arc<TempDir>,
        db: DatabaseConnection,
        registry: Registry,
        number: i64,
    ) -> Result<Member> {
        let net = Faulty::new(self.server.transport("u1", number));
        let device = TestDevice::connected(
            folder.clone(),
            db,
            registry,
            "u1",
            Arc::new(SystemClock),
            Arc::new(UuidV7),
            net.clone(),
        )
        .await?;
        Ok(Member {
            device,
            net,
            number,
            folder,
        })
    }

    /// The rows of a query of one column in the server's database.
    pub async fn rows(&self, sql: &str) -> Result<Vec<String>> {
        query(&self.server.db, sql).await
    }

    /// Both devices, with nothing left to say, show the same for this query.
    pub async fn agree(&self, members: &[&Member], sql: &str) -> Result<Vec<String>> {
        for member in members.iter().chain(members) {
            member.sync().await?;
        }
        let first = members[0].device.rows(sql).await?;
        for member in members {
            let rows = member.device.rows(sql).await?;
            ensure!(rows == first, "{rows:?} and {first:?}");
            member.is_at_rest().await?;
        }
        Ok(first)
    }
}

impl Member {
    /// Nothing pending, nothing rejected, nothing set aside, and one more sync sends nothing.
    pub async fn is_at_rest(&self) -> Result<()> {
        let (pending, status) = (self.device.pending().await?, self.status().await?);
        ensure!(pending.is_empty(), "{pending:?}");
        ensure!(status.rejected.is_empty(), "{:?}", status.rejected);
        ensure!(status.quarantined.is_empty(), "{:?}", status.quarantined);
        let dirty = self.device.rows("SELECT id FROM notes WHERE dirty").await?;
        ensure!(dirty.is_empty(), "{dirty:?}");
        self.is_quiet().await
    }

    /// One more sync sends nothing and asks once.
    pub async fn is_quiet(&self) -> Result<()> {
        self.net.forget();
        self.sync().await?;
        let (pushes, pulls) = (self.net.pushes(), self.net.pulls());
        ensure!(
            pushes.is_empty() && pulls.len() == 1,
            "{pushes:?} {pulls:?}"
        );
        Ok(())
    }

    /// Pages of so many rows.
    pub fn limit_rows(&mut self, page_rows: u32) {
        let limits = BatchLimits {
            page_rows,
            ..BatchLimits::default()
        };
        self.device.device = self.device.device.clone().with_limits(limits);
    }

    /// The file, opened as another program does: sync is not running.
    pub async fn closed(self) -> Result<(Arc<TempDir>, DatabaseConnection, i64)> {
        let file = self.device.file();
        self.device.device.db().clone().close().await?;
        let db = open(&format!("sqlite://{}", file.display())).await?;
        Ok((self.folder, db, self.number))
    }
}

impl Deref for Member {
    type Target = TestDevice;

    fn deref(&self) -> &TestDevice {
        &self.device
    }
}

impl DerefMut for Member {
    fn deref_mut(&mut self) -> &mut TestDevice {
        &mut self.device
    }
}

/// What the newer version shows.
pub const NOTES: &str =
    "SELECT text, color, stars FROM notes WHERE deleted_at IS NULL ORDER BY text";

/// What the older version shows.
pub const TEXTS: &str = "SELECT text FROM notes WHERE deleted_at IS NULL ORDER BY text";

/// Labels with their notes.
pub const LABELS: &str = "SELECT n.text, l.name FROM labels l JOIN notes n ON n.id = l.note_id
                          WHERE l.deleted_at IS NULL ORDER BY 1, 2";
