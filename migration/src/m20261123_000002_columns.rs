//! Adds to tables that were there before the columns they have got since.
//!
//! Among them are the four that sync needs. A column we do not know stays as it is.

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
            table.add_missing_columns(manager).await?;
        }
        Ok(())
    }
}
