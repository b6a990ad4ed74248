//! Indexes every foreign key column: a cascade and every pull look rows up by them.

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
            table.index_references(manager).await?;
        }
        Ok(())
    }
}
