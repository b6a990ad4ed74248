//! Transactions as both ends need them.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

/// Begins a transaction that will write. On SQLite it takes the write lock now: one that took it at its
/// first write, after it has read, would fail at once when another program wrote in between.
///
/// # Errors
/// If the database fails or stays locked beyond its busy timeout.
pub async fn begin_write(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    db.begin_with_options(TransactionOptions {
        sqlite_transaction_mode,
        ..Default::default()
    })
    .await
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
