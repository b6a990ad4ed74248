//! Creates what a server remembers so that passwords cannot be guessed at will, and its settings.

use sea_orm_migration::prelude::*;

use crate::tables;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables::LIMITS {
            table.create_if_missing(manager).await?;
            table.index_references(manager).await?;
        }
        Ok(())
    }
}
