//! Creates, or completes, what a server needs to log people and devices in.

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
        for table in tables::LOGIN {
            table.create_if_missing(manager).await?;
            table.add_missing_columns(manager).await?;
            table.index_references(manager).await?;
        }
        Ok(())
    }
}
