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
mod m20261126_000007_watch_history;

mod column;
mod create_table;
mod race;
mod rebuild;
mod table;
mod tables;
mod unique;

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

/// How often it is tried while others do the same. Each time but the last one of them came further.
const ATTEMPTS: u32 = 20;

/// Brings `db` to the schema of this program, whether it is empty, made by an earlier version, or
/// the application's own database from before there was sync.
///
/// The whole of it is one transaction: it happens or it does not. Of programs that start together one
/// does it, and the others fail at what it has done, look again, and find it done. A database that
/// needs nothing is only read, so the right to change the schema is not needed then.
///
/// # Errors
/// What the database reports; also when it was migrated by a newer program, or when a table lacks
/// a column that no default can stand in for, as then it is not Zentrio's.
pub async fn up(db: &DatabaseConnection, side: Side) -> Result<(), DbErr> {
    if !is_pending(db, side).await? {
        return Ok(());
    }
    let mut attempt = 1;
    loop {
        match up_once(db, side).await {
            Err(error) if race::is_race(&error) && attempt < ATTEMPTS => attempt += 1,
            result => return result,
        }
        if !is_pending(db, side).await? {
            return Ok(());
        }
    }
}

async fn up_once(db: &DatabaseConnection, side: Side) -> Result<(), DbErr> {
    let tx = db.begin_with_options(options(db)).await?;
    up_in(&tx, side).await?;
    tx.commit().await
}

/// What [`up`] does, as a part of a transaction that holds more. On SQLite it has to be one that writes from
/// its beginning; where tables of another program's refer to one of ours that is made anew, without foreign
/// keys.
///
/// # Errors
/// As [`up`]; then the transaction has to be rolled back.
pub async fn up_in(tx: &DatabaseTransaction, side: Side) -> Result<(), DbErr> {
    let adopted = match is_adoption(tx).await? {
        true => tables_there(tx).await?,
        false => Vec::new(),
    };
    Migrator::up(tx, None).await?;
    if !adopted.is_empty() {
        unique::complete(tx, &adopted).await?;
    }
    if side == Side::Server {
        LoginMigrator::up(tx, None).await?;
    }
    Ok(())
}

/// Whether [`up`] would change, and not only add to, what a database in SQLite holds that the application made:
/// it has never been here, or a table has to be made anew. Then a copy should be kept before.
///
/// # Errors
/// If the database fails.
pub async fn changes_existing<C: ConnectionTrait>(db: &C) -> Result<bool, DbErr> {
    if tables_there(db).await?.is_empty() {
        return Ok(false);
    }
    Ok(is_adoption(db).await? || m20261126_000007_watch_history::is_needed(db).await?)
}

/// Whether this is the first run on a database in SQLite.
async fn is_adoption<C: ConnectionTrait>(db: &C) -> Result<bool, DbErr> {
    if db.get_database_backend() != DbBackend::Sqlite {
        return Ok(false);
    }
    let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sync_migrations'";
    Ok(unique::query(db, sql).await?.is_empty())
}

/// Which of Zentrio's tables a database in SQLite has.
async fn tables_there<C: ConnectionTrait>(db: &C) -> Result<Vec<String>, DbErr> {
    let rows = unique::query(db, "SELECT name FROM sqlite_master WHERE type = 'table'").await?;
    let mut there = Vec::new();
    for row in rows {
        let name: String = row.try_get("", "name")?;
        if tables::ZENTRIO.iter().any(|table| table.name() == name) {
            there.push(name);
        }
    }
    Ok(there)
}

/// Whether [`up`] has anything to do. Only looks.
///
/// # Errors
/// If the database fails, or was migrated by a newer program.
pub async fn is_pending(db: &DatabaseConnection, side: Side) -> Result<bool, DbErr> {
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

/// The transaction is the only connection used, so a pool of one is enough.
fn options(db: &DatabaseConnection) -> TransactionOptions {
    let isolation_level = match db.get_database_backend() {
        // Each statement has to see what others have done before it.
        DbBackend::Postgres => Some(IsolationLevel::ReadCommitted),
        _ => None,
    };
    TransactionOptions {
        isolation_level,
        // Programs on SQLite take turns.
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}
