//! The ninth entity's migration, on a device and on either kind of server.

use sea_orm_migration::prelude::*;
use sync_core::schema::{Side, install_entity};

use super::bookmark;

/// Creates the table, and has it synced.
pub struct CreateBookmarks(pub Side);

impl MigrationName for CreateBookmarks {
    fn name(&self) -> &str {
        "m20270101_000001_bookmarks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateBookmarks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut profile = ForeignKey::create();
        profile
            .from("bookmarks", "profile_id")
            .to("profiles", "id")
            .on_delete(ForeignKeyAction::Cascade);
        let table = Table::create()
            .table("bookmarks")
            .col(
                ColumnDef::new("id")
                    .big_integer()
                    .not_null()
                    .primary_key()
                    .auto_increment(),
            )
            .col(ColumnDef::new("profile_id").big_integer().not_null())
            .col(ColumnDef::new("meta_id").text().not_null())
            .col(ColumnDef::new("second").big_integer().not_null())
            .col(ColumnDef::new("note").text())
            .col(ColumnDef::new("visits").big_integer().not_null().default(0))
            .col(ColumnDef::new("place").big_integer())
            .col(ColumnDef::new("remote_id").text())
            .col(ColumnDef::new("dirty").boolean().not_null().default(false))
            .col(
                ColumnDef::new("updated_at")
                    .timestamp_with_time_zone()
                    .not_null()
                    .default(Expr::current_timestamp()),
            )
            .col(ColumnDef::new("deleted_at").timestamp_with_time_zone())
            .foreign_key(&mut profile)
            .to_owned();
        manager.create_table(table).await?;
        install_entity::<bookmark::Entity, _>(manager.get_connection(), self.0).await
    }
}

/// The migrations of a device.
pub struct OnDevice;

/// The migrations of a server.
pub struct OnServer;

macro_rules! migrator {
    ($migrator:ident, $side:expr) => {
        #[async_trait::async_trait]
        impl MigratorTrait for $migrator {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![Box::new(CreateBookmarks($side))]
            }

            fn migration_table_name() -> DynIden {
                "bookmark_migrations".into_iden()
            }
        }
    };
}

migrator!(OnDevice, Side::Device);
migrator!(OnServer, Side::Server);
