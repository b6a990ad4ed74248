//! An account at the real server, and its devices, which reach it over real HTTP.

use std::sync::Arc;

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_core::{SystemClock, UuidV7};

use crate::{
    HttpServer, TestDevice,
    device::{fresh_file, rows},
};

/// An account of a server.
pub struct Account<'a> {
    /// Its id.
    pub user_id: String,
    email: String,
    server: &'a HttpServer,
}

/// Who made a device's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This project: a key need be free among live rows only.
    Fresh,
    /// The app of today, before there was sync: its tables have full UNIQUE constraints.
    Adopted,
}

/// The app's database from before there was sync, with rows.
pub const GENERATION_1: &str = include_str!("../../migration/src/tests/generation_1.sql");
/// The app's database as its first release with sync left it, with rows.
pub const GENERATION_2: &str = include_str!("../../migration/src/tests/generation_2.sql");
/// What today's app writes, in its own words.
pub const APP_STATEMENTS: &str = include_str!("../../migration/src/tests/app_statements.sql");
/// The app's database of today, with rows.
pub const TODAYS_DATABASE: &str = include_str!("../../migration/src/tests/generation_3.sql");

impl HttpServer {
    /// A new account.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn account(&self, email: &str) -> Result<Account<'_>> {
        let user_id = self.add_user(email).await?;
        Ok(Account {
            user_id,
            email: email.to_owned(),
            server: self,
        })
    }
}

impl Account<'_> {
    /// One more device, with an empty database.
    ///
    /// # Errors
    /// If its database cannot be made, or the server refuses the login.
    pub async fn device(&self, origin: Origin) -> Result<TestDevice> {
        let transport = self.server.transport(&self.email).await?;
        let (folder, db) = fresh_file().await?;
        if origin == Origin::Adopted {
            db.execute_unprepared(todays_tables()).await?;
        }
        migration::up(&db, migration::Side::Device).await?;
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
        let registry = entity::registry()?;
        TestDevice::connected(folder, db, registry, &self.user_id, clock, ids, transport).await
    }

    /// One more device, whose rows get other primary keys than those of a first one.
    ///
    /// # Errors
    /// As [`Account::device`].
    pub async fn device_with_other_ids(&self, origin: Origin) -> Result<TestDevice> {
        let device = self.device(origin).await?;
        let tables =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'";
        for table in rows(device.device.db(), tables).await? {
            let sql = format!(
                "DELETE FROM sqlite_sequence WHERE name = '{table}';
                 INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', 7000)"
            );
            device.sql(&sql).await?;
        }
        Ok(device)
    }
}

/// The same without its rows.
fn todays_tables() -> &'static str {
    let rows = TODAYS_DATABASE.find("\nINSERT INTO");
    rows.map_or(TODAYS_DATABASE, |at| &TODAYS_DATABASE[..at])
}
