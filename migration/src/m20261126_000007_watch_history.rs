//! Lets `watch_history` hold several episodes of a show.
//!
//! The application's tables from before its third generation have one row of a title and profile, whatever the
//! episode; rows of other devices would not fit. On Postgres there is no such table.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::unique::{self, Key};

const KEY: Key = Key {
    table: "watch_history",
    columns: &["profile_id", "meta_id", "season", "episode"],
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() != DbBackend::Sqlite {
            return Ok(());
        }
        unique::widen(db, KEY).await
    }
}

/// Whether there is a table that this migration changes.
pub(crate) async fn is_needed<C: ConnectionTrait>(db: &C) -> Result<bool, DbErr> {
    unique::is_narrow(db, KEY).await
}
