//! Which migrations there are, in order.

use sea_orm_migration::sea_orm::{DynIden, sea_query::IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::{
    m20261123_000001_tables, m20261123_000002_columns, m20261123_000003_indexes,
    m20261123_000004_tmdb_addon, m20261123_000005_login_tables, m20261126_000006_login_limits,
    m20261126_000007_watch_history,
};

/// The tables that every Zentrio database has, on a device and on a server.
pub struct Migrator;

/// The tables a server needs to log people and devices in; they come after [`Migrator`]'s.
///
/// It keeps a record of its own, so that a server's database file can be opened as a device's:
/// there [`Migrator`] would otherwise find migrations it does not know, and refuse.
pub struct LoginMigrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_tables::Migration),
            Box::new(m20261123_000002_columns::Migration),
            Box::new(m20261123_000003_indexes::Migration),
            Box::new(m20261123_000004_tmdb_addon::Migration),
            Box::new(m20261126_000007_watch_history::Migration),
        ]
    }

    /// Not SeaORM's usual name: the application may have migrations of its own under that.
    fn migration_table_name() -> DynIden {
        "sync_migrations".into_iden()
    }
}

impl MigratorTrait for LoginMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000005_login_tables::Migration),
            Box::new(m20261126_000006_login_limits::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        "sync_login_migrations".into_iden()
    }
}
