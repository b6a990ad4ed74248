//! Describes a table, and makes it so: creates it, or adds what it lacks.

use sea_orm_migration::prelude::*;

use crate::column::Column;

/// A table as one released set of migrations knows it.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    name: &'static str,
    columns: &'static [Column],
    /// Columns that several tables end with.
    common: &'static [Column],
}

impl Table {
    pub(crate) const fn new(name: &'static str, columns: &'static [Column]) -> Self {
        Self {
            name,
            columns,
            common: &[],
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The same table with more columns at its end.
    pub(crate) const fn and(self, common: &'static [Column]) -> Self {
        Self { common, ..self }
    }

    /// Leaves a table of that name alone, whatever its columns are.
    pub(crate) async fn create_if_missing(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        if manager.has_table(self.name).await? {
            return Ok(());
        }
        let mut create = sea_query::Table::create();
        create.table(self.name);
        for column in self.all() {
            create.col(column.to_create());
        }
        manager.create_table(create).await
    }

    /// Adds the missing columns one by one, as SQLite wants it.
    pub(crate) async fn add_missing_columns(
        &self,
        manager: &SchemaManager<'_>,
    ) -> Result<(), DbErr> {
        for column in self.all() {
            if manager.has_column(self.name, column.name()).await? {
                continue;
            }
            let mut alter = sea_query::Table::alter();
            alter.table(self.name).add_column(column.to_add(self.name)?);
            manager.alter_table(alter).await?;
        }
        Ok(())
    }

    /// Makes the lookups fast that a foreign key causes; a primary key has its index already.
    pub(crate) async fn index_references(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for column in self.all().filter(|column| column.refers()) {
            let mut index = Index::create();
            index
                .name(format!("ix_{}_{}", self.name, column.name()))
                .table(self.name)
                .col(column.name())
                .if_not_exists();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = &'static Column> + use<> {
        self.columns.iter().chain(self.common)
    }
}
