//! Transactions as both ends need them.

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sqlx::Connection,
};

use crate::db_error::is_left_open;

/// Begins a transaction that will write. On SQLite it takes the write lock now: one that took it at its
/// first write, after it has read, would fail at once when another program wrote in between.
///
/// # Errors
/// If the database fails or stays locked beyond its busy timeout.
pub async fn begin_write(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    match begin_immediate(db).await {
        Err(error) if is_left_open(&error) => {
            drop_left_open(db).await?;
            begin_immediate(db).await
        }
        result => result,
    }
}

async fn begin_immediate(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    db.begin_with_options(TransactionOptions {
        sqlite_transaction_mode,
        ..Default::default()
    })
    .await
}

/// Closes connections that sqlx believes to be inside a transaction which SQLite ended by itself, as it
/// does on a full disk: no transaction can begin on them any more. The pool opens new ones.
async fn drop_left_open(db: &DatabaseConnection) -> Result<(), DbErr> {
    let pool = db.get_sqlite_connection_pool();
    let failed = |error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)));
    let mut sound = Vec::new();
    for _ in 0..pool.size() {
        let connection = pool.acquire().await.map_err(failed)?;
        if connection.is_in_transaction() {
            connection.close().await.map_err(failed)?;
        } else {
            sound.push(connection);
        }
    }
    Ok(())
}

/// Begins a transaction that sees one state of the database however long it reads.
///
/// # Errors
/// If the database fails.
pub async fn begin_read(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let isolation_level = match db.get_database_backend() {
        DbBackend::Postgres => Some(IsolationLevel::RepeatableRead),
        _ => None,
    };
    db.begin_with_options(TransactionOptions {
        isolation_level,
        ..Default::default()
    })
    .await
}

/// Runs one statement.
pub(crate) async fn execute<C: ConnectionTrait>(
    tx: &C,
    sql: &str,
    values: Vec<sea_orm::Value>,
) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    tx.execute_raw(statement).await.map(|_| ())
}

/// From here to the transaction's end, or [`end_applying`], writes are the engine's own: not captured.
pub(crate) async fn begin_applying<C: ConnectionTrait>(tx: &C) -> Result<(), DbErr> {
    set_applying(tx, true).await
}

/// Ends what [`begin_applying`] began. SQLite needs it before the commit; a rollback undoes both.
pub(crate) async fn end_applying<C: ConnectionTrait>(tx: &C) -> Result<(), DbErr> {
    set_applying(tx, false).await
}

async fn set_applying<C: ConnectionTrait>(tx: &C, on: bool) -> Result<(), DbErr> {
    let sql = match (tx.get_database_backend(), on) {
        (DbBackend::Sqlite, true) => "UPDATE sync_guard SET applying = 1",
        (DbBackend::Sqlite, false) => "UPDATE sync_guard SET applying = 0",
        (_, true) => "SET LOCAL sync.applying = 'on'",
        (_, false) => "SET LOCAL sync.applying = ''",
    };
    tx.execute_unprepared(sql).await.map(|_| ())
}
