//! How many rows an account may have.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

/// Live rows that an account may still get; none where there is no limit. Deleted ones take no room.
pub(super) async fn room(
    tx: &DatabaseTransaction,
    account: i64,
    most: Option<u64>,
) -> Result<Option<u64>, DbErr> {
    let Some(most) = most else { return Ok(None) };
    let sql = "SELECT count(*) AS n FROM sync_feed WHERE account = $1 AND deleted_at IS NULL";
    let backend = tx.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, sql, [account.into()]);
    let row = tx.query_one_raw(statement).await?;
    let live: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    Ok(Some(most.saturating_sub(live.unsigned_abs())))
}
