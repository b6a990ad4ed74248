//! Creates Zentrio's tables where they are missing.

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
        for table in tables::ZENTRIO {
            table.create_if_missing(manager).await?;
        }
        Ok(())
    }
}
