//! Rows that were pulled and cannot be written here: kept as they came, and tried again.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};
use serde_json::value::RawValue;

use super::{ApplyContext, Device, collect::Batch, state, state::execute};
use crate::{error::SyncError, tx};

/// Why a row cannot be written here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    /// As a stable word.
    pub(super) code: &'static str,
    /// The column at fault.
    pub(super) field: Option<&'static str>,
    /// In words.
    pub(super) text: String,
}

impl Reason {
    pub(super) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            code,
            field: None,
            text: text.into(),
        }
    }
}

/// Sets a row aside; an older form of it gives way.
pub(super) async fn put(
    tx: &DatabaseTransaction,
    table: &str,
    remote_id: &str,
    raw: &str,
    reason: &Reason,
    now_ms: i64,
    since_ms: i64,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO sync_quarantine (tbl, remote_id, raw, code, field, reason, at, since)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
               ON CONFLICT (tbl, remote_id) DO UPDATE SET raw = excluded.raw, code = excluded.code,
                 field = excluded.field, reason = excluded.reason, at = excluded.at";
    let values = vec![
        table.into(),
        remote_id.into(),
        raw.into(),
        reason.code.into(),
        reason.field.map(str::to_owned).into(),
        reason.text.as_str().into(),
        now_ms.into(),
        since_ms.into(),
    ];
    execute(tx, sql, values).await
}

impl Device {
    /// Leaves a row of the server out that cannot be written here: it is not tried again before it changes
    /// there. Says whether it was set aside.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn leave_out(&self, table: &str, remote_id: &str) -> Result<bool, SyncError> {
        let sql = "DELETE FROM sync_quarantine WHERE tbl = $1 AND remote_id = $2";
        let values = [table.into(), remote_id.into()];
        let statement = Statement::from_sql_and_values(self.db.get_database_backend(), sql, values);
        Ok(self.db.execute_raw(statement).await?.rows_affected() > 0)
    }

    /// Tries the rows that were set aside, or one of them, once more, parents first: after an upgrade of the
    /// program, or after what they waited for has come.
    pub(super) async fn retry_quarantined(
        &self,
        only: Option<(&str, &str)>,
    ) -> Result<(), SyncError> {
        let backend = self.db.get_database_backend();
        let any = Statement::from_string(backend, "SELECT 1 AS one FROM sync_quarantine LIMIT 1");
        if self.db.query_one_raw(any).await?.is_none() {
            return Ok(());
        }
        let tx = tx::begin_write(&self.db).await?;
        tx::begin_applying(&tx).await?;
        let state = state::load(&tx).await?;
        for registered in self.registry.tables() {
            let table = registered.shape.table;
            if only.is_some_and(|(wanted, _)| wanted != table) {
                continue;
            }
            let sql = "SELECT raw FROM sync_quarantine WHERE tbl = $1 AND (remote_id = $2 OR $2 IS NULL) ORDER BY remote_id";
            let values = [table.into(), only.map(|(_, name)| name.to_owned()).into()];
            let rows = tx
                .query_all_raw(Statement::from_sql_and_values(backend, sql, values))
                .await?;
            let raw: Vec<String> = rows
                .iter()
                .map(|row| row.try_get("", "raw"))
                .collect::<Result<_, _>>()?;
            let Ok(rows) = RawValue::from_string(format!("[{}]", raw.join(","))) else {
                continue;
            };
            if !raw.is_empty() {
                let mut cx = ApplyContext::new(self.clock.now_ms(), &state);
                registered.table.apply(&tx, &mut cx, &rows).await?;
            }
        }
        tx::end_applying(&tx).await?;
        Ok(tx.commit().await?)
    }
}

/// These rows are not set aside any more. Tells since when they were: one that cannot be written now either
/// has been waiting that long.
pub(super) async fn release(
    tx: &DatabaseTransaction,
    table: &str,
    remote_ids: impl Iterator<Item = &str>,
) -> Result<HashMap<String, i64>, DbErr> {
    let backend = tx.get_database_backend();
    let sql = "SELECT remote_id, since FROM sync_quarantine WHERE tbl = $1";
    let rows = tx
        .query_all_raw(Statement::from_sql_and_values(backend, sql, [table.into()]))
        .await?;
    let mut since = HashMap::with_capacity(rows.len());
    for row in rows {
        since.insert(row.try_get("", "remote_id")?, row.try_get("", "since")?);
    }
    for remote_id in remote_ids.filter(|name| since.contains_key(*name)) {
        let sql = "DELETE FROM sync_quarantine WHERE tbl = $1 AND remote_id = $2";
        execute(tx, sql, vec![table.into(), remote_id.into()]).await?;
    }
    Ok(since)
}

/// Whether any row of this batch is set aside.
pub(super) async fn holds_any(tx: &DatabaseTransaction, batch: &Batch) -> Result<bool, DbErr> {
    let backend = tx.get_database_backend();
    let sql = "SELECT tbl, remote_id FROM sync_quarantine";
    let rows = tx
        .query_all_raw(Statement::from_string(backend, sql))
        .await?;
    for row in rows {
        let (table, name): (String, String) =
            (row.try_get("", "tbl")?, row.try_get("", "remote_id")?);
        let mut sent = batch.tables.iter().filter(|sent| sent.table == table);
        if sent.any(|sent| sent.rows.iter().any(|row| row.remote_id == name)) {
            return Ok(true);
        }
    }
    Ok(false)
}
