//! A device in a scene, and what a test does with it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use anyhow::{Result, ensure};
use sea_orm::ConnectionTrait;

use crate::{
    Fault, Faulty, TestDevice,
    scene::USER,
    snapshot::{orphans, tables},
};

/// A device in a scene: a [`TestDevice`] and its network.
pub struct SceneDevice {
    /// The device.
    pub device: TestDevice,
    /// Its way to the server.
    pub net: Arc<Faulty>,
    /// The server's number of it.
    pub number: i64,
}

impl SceneDevice {
    /// Adds a profile of the account.
    ///
    /// # Errors
    /// What the database says.
    pub async fn add_profile(&self, name: &str) -> Result<i64> {
        self.add(&format!(
            "INSERT INTO profiles (user_id, name, avatar) VALUES ('{USER}', '{name}', 'x')"
        ))
        .await
    }

    /// Adds a list to a profile.
    ///
    /// # Errors
    /// What the database says.
    pub async fn add_list(&self, profile: i64, name: &str) -> Result<i64> {
        self.add(&format!(
            "INSERT INTO lists (profile_id, name) VALUES ({profile}, '{name}')"
        ))
        .await
    }

    /// Adds a title to a list.
    ///
    /// # Errors
    /// What the database says.
    pub async fn add_item(&self, list: i64, title: &str) -> Result<i64> {
        self.add(&format!(
            "INSERT INTO list_items (list_id, meta_id, type) VALUES ({list}, '{title}', 'movie')"
        ))
        .await
    }

    /// Runs an INSERT and gives the new row's id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn add(&self, insert: &str) -> Result<i64> {
        self.sql(insert).await?;
        Ok(self
            .one("SELECT last_insert_rowid() AS id")
            .await?
            .parse()?)
    }

    /// Rows that are dirty, as table and id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn dirty(&self) -> Result<Vec<String>> {
        let each = tables()
            .map(|table| format!("SELECT '{table} ' || id AS row FROM {table} WHERE dirty"));
        self.device
            .rows(&each.collect::<Vec<_>>().join(" UNION ALL "))
            .await
    }

    /// Every column of every row of the synced tables.
    ///
    /// # Errors
    /// What the database says.
    pub async fn everything(&self) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for table in tables() {
            let rows = self
                .device
                .rows(&format!("SELECT * FROM {table} ORDER BY id"))
                .await?;
            all.extend(rows.into_iter().map(|row| format!("{table}|{row}")));
        }
        Ok(all)
    }

    /// Rows that the server did not take, as table, id and code.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn rejected(&self) -> Result<Vec<String>> {
        let rejected = self.status().await?.rejected.into_iter();
        Ok(rejected
            .map(|row| format!("{} {} {}", row.table, row.row_id, row.code))
            .collect())
    }

    /// Where the device stands in the feed.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn cursor(&self) -> Result<Option<String>> {
        Ok(self.device.device.state().await?.cursor)
    }

    /// Only pushes, once.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn push(&self) -> Result<sync_core::SyncReport, sync_core::SyncError> {
        self.device.device.push(&*self.net, &|_| {}).await
    }

    /// Only pulls.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn pull(&self) -> Result<sync_core::SyncReport, sync_core::SyncError> {
        self.device.device.pull(&*self.net, &|_| {}).await
    }

    /// An edit that the user makes while a request is on its way, after the server has answered.
    #[must_use]
    pub fn meanwhile(&self, sql: &'static str) -> Fault {
        let db = self.device.device.db().clone();
        Fault::after(move || async move {
            db.execute_unprepared(sql).await?;
            Ok(())
        })
    }

    /// Counts from now on every write to a synced table, also one that changes nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn watch_writes(&self) -> Result<()> {
        self.sql("CREATE TEMP TABLE writes (what TEXT)").await?;
        for table in tables() {
            for write in ["INSERT", "UPDATE", "DELETE"] {
                self.sql(&format!(
                    "CREATE TEMP TRIGGER watch_{table}_{write} AFTER {write} ON main.{table} BEGIN
                       INSERT INTO writes VALUES ('{write} {table}');
                     END"
                ))
                .await?;
            }
        }
        Ok(())
    }

    /// The writes since [`SceneDevice::watch_writes`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn writes(&self) -> Result<Vec<String>> {
        self.device.rows("SELECT what FROM writes").await
    }

    /// How much of one push and one page the device takes at most.
    pub fn limit_rows(&mut self, push_rows: usize, page_rows: u32) {
        let limits = sync_core::device::BatchLimits {
            push_rows,
            page_rows,
            ..Default::default()
        };
        self.device.device = self.device.device.clone().with_limits(limits);
    }

    /// Checks what has to hold at rest: nothing pending, nothing dirty, every reference leads somewhere.
    ///
    /// # Errors
    /// Says what does not hold.
    pub async fn check(&self) -> Result<()> {
        let (pending, dirty) = (self.pending().await?, self.dirty().await?);
        ensure!(
            pending.is_empty() && dirty.is_empty(),
            "pending {pending:?}, dirty {dirty:?}"
        );
        let status = self.status().await?;
        ensure!(
            status.pending.is_empty(),
            "{:?} are said to be pending",
            status.pending
        );
        let broken = self
            .device
            .rows("SELECT * FROM pragma_foreign_key_check")
            .await?;
        ensure!(
            broken.is_empty(),
            "references that lead nowhere: {broken:?}"
        );
        let orphans = orphans(self.device.device.db()).await?;
        ensure!(
            orphans.is_empty(),
            "live rows under deleted ones: {orphans:?}"
        );
        let whole = self.one("SELECT * FROM pragma_integrity_check").await?;
        ensure!(whole == "ok", "{whole}");
        Ok(())
    }
}

impl Deref for SceneDevice {
    type Target = TestDevice;

    fn deref(&self) -> &TestDevice {
        &self.device
    }
}

impl DerefMut for SceneDevice {
    fn deref_mut(&mut self) -> &mut TestDevice {
        &mut self.device
    }
}
