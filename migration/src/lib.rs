//! The schema of a Zentrio database, and how an existing one becomes it.
//!
//! [`up`] is all a program calls. How to add a migration is in the crate's README.

use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

mod migrator;

mod m20261123_000001_tables;
mod m20261123_000002_columns;
mod m20261123_000003_indexes;
mod m20261123_000004_tmdb_addon;
mod m20261123_000005_login_tables;
mod m20261126_000006_login_limits;

mod column;
mod table;
mod tables;

#[cfg(test)]
mod tests;

pub use migrator::{LoginMigrator, Migrator};

/// Which end of the sync a database is, and so which tables it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// An application's own database.
    Device,
    /// The server's database: a device's tables and those of the login.
    Server,
}

/// Names the lock among all advisory locks of a Postgres database.
const ADVISORY_LOCK: i64 = i64::from_be_bytes(*b"\0zentrio");

/// Brings `db` to the schema of this program, whether it is empty, made by an earlier version, or
/// the application's own database from before there was sync.
///
/// The whole of it is one transaction: it happens or it does not. Programs that start together
/// take turns, and a database that needs nothing is only read, so neither a lock nor the right to
/// change the schema is needed then.
///
/// # Errors
/// What the database reports; also when it was migrated by a newer program, or when a table lacks
/// a column that no default can stand in for, as then it is not Zentrio's.
pub async fn up(db: &DatabaseConnection, side: Side) -> Result<(), DbErr> {
    if !is_pending(db, side).await? {
        return Ok(());
    }
    let tx = begin_alone(db).await?;
    Migrator::up(&tx, None).await?;
    if side == Side::Server {
        LoginMigrator::up(&tx, None).await?;
    }
    tx.commit().await
}

async fn is_pending(db: &DatabaseConnection, side: Side) -> Result<bool, DbErr> {
    if !Migrator::get_pending_migrations_read_only(db)
        .await?
        .is_empty()
    {
        return Ok(true);
    }
    Ok(side == Side::Server
        && !LoginMigrator::get_pending_migrations_read_only(db)
            .await?
            .is_empty())
}

/// Begins a transaction that no other [`up`] on the same database overlaps.
///
/// Both databases give the lock back when the transaction ends, and that includes its connection
/// dying. The transaction is also the only connection used, so a pool of one is enough.
async fn begin_alone(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    match db.get_database_backend() {
        DbBackend::Postgres => {
            let options = TransactionOptions {
                // A snapshot taken before the wait would not show what the other one did.
                isolation_level: Some(IsolationLevel::ReadCommitted),
                ..TransactionOptions::default()
            };
            let tx = db.begin_with_options(options).await?;
            tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
                .await?;
            Ok(tx)
        }
        _ => {
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            db.begin_with_options(options).await
        }
    }
}
