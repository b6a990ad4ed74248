//! A batch's verdicts, taken note of in one transaction.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};
use serde_json::value::RawValue;

use super::{
    ApplyContext, Device, Withheld, apply,
    bury::bury,
    collect::{Batch, SentRow, SentTable},
    drift,
    kept::{KEPT, UNREADABLE},
    quarantine, rename, resend, state,
    state::execute,
    sync::Session,
};
use crate::{
    bulk::CHUNK,
    error::SyncError,
    event::{SyncEvent, SyncReport},
    ids::is_canonical,
    planted::{Bug, Point, planted, reach},
    protocol::{PushAnswer, Verdict, VerdictKind},
    registry::Registered,
    rows::placeholders,
    tx,
};

/// Why a row was not taken, as it is kept.
pub(super) struct Rejection<'a> {
    pub(super) remote_id: &'a str,
    pub(super) code: &'a str,
    pub(super) field: Option<&'a str>,
    pub(super) message: Option<&'a str>,
}

impl Device {
    /// Clears what was taken, writes what was merged, keeps why rows were rejected.
    ///
    /// An edit made while the push was on its way has raised its register's count and stays pending.
    pub(super) async fn settle(
        &self,
        session: Session<'_>,
        batch: &Batch,
        answer: &PushAnswer,
        report: &mut SyncReport,
    ) -> Result<Vec<SyncEvent>, SyncError> {
        let tx = tx::begin_write(&self.db).await?;
        tx::begin_applying(&tx).await?;
        let state = state::load(&tx).await?;
        session.check(&state)?;
        let server = state.server();
        let mut events = Vec::new();
        for (sent, verdicts) in matched(batch, answer)? {
            let Some(registered) = self.registry.get(&sent.table) else {
                continue;
            };
            let withheld = Withheld::of(registered.shape, server.as_ref());
            self.settle_table(
                &tx,
                registered,
                &withheld,
                sent,
                verdicts,
                report,
                &mut events,
            )
            .await?;
        }
        if drift::is_beginning(state.cursor.as_deref()) {
            drift::begin_fetching(&tx, &self.registry, server.as_ref()).await?;
        }
        let cursor = state.cursor.as_deref().unwrap_or("0");
        // Nobody else's rows lie between: this device has seen all up to behind its own. But what was set
        // aside of one of them is now older than what the server has, which must come whole.
        let seen = cursor == answer.before && !quarantine::holds_any(&tx, batch).await?;
        let cursor = if seen { &answer.after } else { cursor };
        state::save_cursor(&tx, &answer.epoch, cursor).await?;
        resend::forget(&tx, batch.push_no).await?;
        tx::end_applying(&tx).await?;
        reach(Point::Settling).await;
        tx.commit().await?;
        reach(Point::Settled).await;
        Ok(events)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one batch, and private to it"
    )]
    async fn settle_table(
        &self,
        tx: &DatabaseTransaction,
        registered: &Registered,
        withheld: &Withheld,
        sent: &SentTable,
        verdicts: &[Verdict],
        report: &mut SyncReport,
        events: &mut Vec<SyncEvent>,
    ) -> Result<(), SyncError> {
        let table = registered.shape.table;
        let (mut taken, mut merged) = (Vec::new(), Vec::new());
        let mut merged_ids = Vec::new();
        for (row, verdict) in sent.rows.iter().zip(verdicts) {
            if verdict.code.as_deref() == Some("unknown_id") {
                send_whole(tx, table, row).await?;
                continue;
            }
            if verdict.verdict == VerdictKind::Rejected
                && !sent.gone
                && !as_sent(tx, table, row.row_id, withheld).await?
            {
                // The verdict is about what the row no longer is: it goes again.
                clear_rejected(tx, table, &[row.row_id]).await?;
                continue;
            }
            if verdict.verdict == VerdictKind::Rejected {
                if !sent.gone && lacks_parent(verdict) && bury(tx, registered, row.row_id).await? {
                    continue;
                }
                report.n_rejected += 1;
                events.push(self.settle_rejected(tx, table, row, verdict).await?);
                continue;
            }
            taken.push(row);
            if let Some(winner) = &verdict.renamed_to {
                if !is_canonical(winner) {
                    let message = format!("a row cannot be named {winner:?}");
                    return Err(SyncError::NotASyncServer(message));
                }
                rename::rename(
                    tx,
                    &self.registry,
                    registered,
                    row,
                    winner,
                    self.clock.now_ms(),
                )
                .await?;
            }
            if let (VerdictKind::Merged, Some(now)) = (verdict.verdict, &verdict.row) {
                merged_ids.push(row.row_id);
                merged.push(pull_row(
                    verdict.renamed_to.as_ref().unwrap_or(&row.remote_id),
                    verdict.at,
                    now,
                ));
            }
        }
        report.n_pushed += taken.len() as u64;
        let edited = edited(tx, table, &merged_ids).await?;
        if sent.gone {
            forget_gone(tx, table, &taken).await?;
        } else {
            let ids: Vec<i64> = taken.iter().map(|row| row.row_id).collect();
            acknowledge(tx, registered, withheld, &ids).await?;
        }
        if !merged.is_empty() {
            let rows = RawValue::from_string(format!("[{}]", merged.join(",")));
            let rows = rows.map_err(|e| SyncError::NotASyncServer(e.to_string()))?;
            let mut cx = ApplyContext::new(self.clock.now_ms(), &state::load(tx).await?);
            cx.verdicts = true;
            cx.edited = edited;
            let applied = registered.table.apply(tx, &mut cx, &rows).await?;
            report.n_conflicts += applied.n_conflicts;
            events.extend(apply::quarantined_events(table, &applied));
        }
        Ok(())
    }

    async fn settle_rejected(
        &self,
        tx: &DatabaseTransaction,
        table: &str,
        row: &SentRow,
        verdict: &Verdict,
    ) -> Result<SyncEvent, DbErr> {
        let mut code = verdict.code.as_deref().unwrap_or("rejected");
        if code == "unknown_parent" && self.parent_is_rejected(tx, table, row.row_id).await? {
            code = "parent_rejected";
        }
        let rejection = Rejection {
            remote_id: &row.remote_id,
            code,
            field: verdict.field.as_deref(),
            message: verdict.message.as_deref(),
        };
        reject(tx, table, row.row_id, &rejection, self.clock.now_ms()).await?;
        Ok(SyncEvent::Rejected {
            table: table.to_owned(),
            row_id: row.row_id,
            code: code.to_owned(),
            message: verdict.message.clone().unwrap_or_default(),
        })
    }
}

impl Device {
    /// Whether a row that this one refers to was rejected itself, perhaps in an earlier batch.
    async fn parent_is_rejected(
        &self,
        tx: &DatabaseTransaction,
        table: &str,
        row_id: i64,
    ) -> Result<bool, DbErr> {
        let Some(registered) = self.registry.get(table) else {
            return Ok(false);
        };
        let id = registered.shape.id;
        for target in &registered.targets {
            let sql = format!(
                "SELECT 1 AS one FROM sync_rejected r JOIN \"{table}\" t ON t.\"{}\" = r.row_id
                 WHERE r.tbl = $1 AND t.\"{id}\" = $2",
                target.column
            );
            let values = [target.table.as_str().into(), row_id.into()];
            let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
            if tx.query_one_raw(statement).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn lacks_parent(verdict: &Verdict) -> bool {
    matches!(
        verdict.code.as_deref(),
        Some("unknown_parent" | "parent_rejected")
    )
}

/// When the registers of these rows were edited, as far as they are pending.
async fn edited(
    tx: &DatabaseTransaction,
    table: &str,
    rows: &[i64],
) -> Result<HashMap<(i64, String), i64>, DbErr> {
    let mut edited = HashMap::new();
    for rows in rows.chunks(CHUNK) {
        let sql = format!(
            "SELECT row_id, register, edited_at FROM sync_pending WHERE tbl = $1 AND row_id IN ({})",
            placeholders(2, rows.len())
        );
        let values = with_table(table, rows);
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        for row in tx.query_all_raw(statement).await? {
            let key = (row.try_get("", "row_id")?, row.try_get("", "register")?);
            edited.insert(key, row.try_get("", "edited_at")?);
        }
    }
    Ok(edited)
}

/// Whether the row is still pending just as it was sent.
async fn as_sent(
    tx: &DatabaseTransaction,
    table: &str,
    row_id: i64,
    withheld: &Withheld,
) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT CASE WHEN count(*) > 0 AND max(edits - sent) = 0 THEN 1 ELSE 0 END AS same
         FROM sync_pending WHERE tbl = $1 AND row_id = $2 AND sent <> {KEPT}{}",
        withheld.left_out()
    );
    let values = [table.into(), row_id.into()];
    let backend = tx.get_database_backend();
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    let same: i64 = row.map_or(Ok(0), |row| row.try_get("", "same"))?;
    Ok(same == 1)
}

/// The server lost the row, or has forgotten its deletion: it gets all of it next time. What nobody has edited
/// is as old as can be, so that it beats no edit by another device.
async fn send_whole(tx: &DatabaseTransaction, table: &str, row: &SentRow) -> Result<(), DbErr> {
    let sql = "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
               VALUES ($1, $2, '*', NULL, 0, 1, 0) ON CONFLICT (tbl, row_id, register) DO NOTHING";
    execute(tx, sql, vec![table.into(), row.row_id.into()]).await
}

/// Pairs what was sent with its verdicts; an answer of another shape is not from a sync server.
fn matched<'a>(
    batch: &'a Batch,
    answer: &'a PushAnswer,
) -> Result<Vec<(&'a SentTable, &'a [Verdict])>, SyncError> {
    let wrong =
        || SyncError::NotASyncServer("the verdicts do not match what was pushed".to_owned());
    if batch.tables.len() != answer.tables.len() {
        return Err(wrong());
    }
    let pairs = batch
        .tables
        .iter()
        .zip(&answer.tables)
        .map(|(sent, answer)| {
            let names = sent.rows.iter().map(|row| row.remote_id.as_str());
            let fits = sent.table == answer.table
                && names.eq(answer.rows.iter().map(|row| row.remote_id.as_str()));
            if fits {
                Ok((sent, answer.rows.as_slice()))
            } else {
                Err(wrong())
            }
        });
    pairs.collect()
}

fn pull_row(remote_id: &str, at: Option<i64>, row: &RawValue) -> String {
    format!(
        r#"{{"remote_id":"{remote_id}","at":{},"row":{}}}"#,
        at.unwrap_or_default(),
        row.get()
    )
}

/// Clears pending changes that were not edited again since they were sent.
async fn acknowledge(
    tx: &DatabaseTransaction,
    registered: &Registered,
    withheld: &Withheld,
    rows: &[i64],
) -> Result<(), DbErr> {
    let table = registered.shape.table;
    for rows in rows.chunks(CHUNK) {
        let unedited = match planted(Bug::ClearedWithoutCount) {
            false => "sent = edits",
            true => "sent > 0",
        };
        let sql = format!(
            "DELETE FROM sync_pending WHERE tbl = $1 AND {unedited} AND row_id IN ({}){}",
            placeholders(2, rows.len()),
            withheld.left_out()
        );
        execute(tx, &sql, with_table(table, rows)).await?;
    }
    clear_rejected(tx, table, rows).await?;
    clean(tx, registered, rows).await
}

/// Drops what is pending of rows that are not to be sent.
pub(super) async fn forget(
    tx: &DatabaseTransaction,
    registered: &Registered,
    rows: &[i64],
) -> Result<(), DbErr> {
    for rows in rows.chunks(CHUNK) {
        let sql = format!(
            "DELETE FROM sync_pending WHERE tbl = $1 AND row_id IN ({})",
            placeholders(2, rows.len())
        );
        execute(tx, &sql, with_table(registered.shape.table, rows)).await?;
    }
    clear_rejected(tx, registered.shape.table, rows).await?;
    clean(tx, registered, rows).await
}

/// Rows with nothing pending are not dirty.
pub(super) async fn clean(
    tx: &DatabaseTransaction,
    registered: &Registered,
    rows: &[i64],
) -> Result<(), DbErr> {
    clean_rows(tx, registered.shape.table, registered.shape.id, rows).await
}

/// The same, by the names of table and key.
pub(super) async fn clean_rows(
    tx: &DatabaseTransaction,
    table: &str,
    id: &str,
    rows: &[i64],
) -> Result<(), DbErr> {
    for rows in rows.chunks(CHUNK) {
        let sql = format!(
            "UPDATE \"{table}\" SET dirty = FALSE WHERE \"{id}\" IN ({}) AND NOT EXISTS
               (SELECT 1 FROM sync_pending WHERE tbl = $1 AND row_id = \"{table}\".\"{id}\")",
            placeholders(2, rows.len())
        );
        execute(tx, &sql, with_table(table, rows)).await?;
    }
    Ok(())
}

/// What was taken is not rejected any more; of what it still holds and cannot be read is told on.
pub(super) async fn clear_rejected(
    tx: &DatabaseTransaction,
    table: &str,
    rows: &[i64],
) -> Result<(), DbErr> {
    let any = "SELECT 1 AS one FROM sync_rejected LIMIT 1";
    let any = Statement::from_string(tx.get_database_backend(), any);
    if tx.query_one_raw(any).await?.is_none() {
        return Ok(());
    }
    for rows in rows.chunks(CHUNK) {
        let sql = format!(
            "DELETE FROM sync_rejected WHERE tbl = $1 AND row_id IN ({}) AND NOT (code = '{UNREADABLE}' AND EXISTS
               (SELECT 1 FROM sync_pending p WHERE p.tbl = $1 AND p.row_id = sync_rejected.row_id AND p.sent = {KEPT}))",
            placeholders(2, rows.len())
        );
        execute(tx, &sql, with_table(table, rows)).await?;
    }
    Ok(())
}

async fn forget_gone(
    tx: &DatabaseTransaction,
    table: &str,
    rows: &[&SentRow],
) -> Result<(), DbErr> {
    for row in rows {
        let sql = "DELETE FROM sync_deleted WHERE tbl = $1 AND row_id = $2 AND remote_id = $3";
        execute(
            tx,
            sql,
            vec![
                table.into(),
                row.row_id.into(),
                row.remote_id.as_str().into(),
            ],
        )
        .await?;
    }
    Ok(())
}

/// Keeps why a row was not taken, until it is.
pub(super) async fn reject(
    tx: &DatabaseTransaction,
    table: &str,
    row_id: i64,
    rejection: &Rejection<'_>,
    now_ms: i64,
) -> Result<(), DbErr> {
    let Rejection {
        remote_id,
        code,
        field,
        message,
    } = *rejection;
    let sql = "INSERT INTO sync_rejected (tbl, row_id, remote_id, code, field, message, at, since)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
               ON CONFLICT (tbl, row_id) DO UPDATE SET remote_id = excluded.remote_id, code = excluded.code,
                 field = excluded.field, message = excluded.message, at = excluded.at";
    let values = vec![
        table.into(),
        row_id.into(),
        remote_id.into(),
        code.into(),
        field.map(str::to_owned).into(),
        message.map(str::to_owned).into(),
        now_ms.into(),
    ];
    execute(tx, sql, values).await
}

pub(super) fn with_table(table: &str, rows: &[i64]) -> Vec<Value> {
    std::iter::once(table.into())
        .chain(rows.iter().map(|id| (*id).into()))
        .collect()
}
