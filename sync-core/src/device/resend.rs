//! A push that was not answered is sent again as it was, so that the server can tell it from a new one: what
//! it had taken keeps the times of its first delivery, however long the answer was lost.

use std::borrow::Cow;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};
use serde::{Deserialize, Serialize};

use super::{
    Device,
    collect::{Batch, SentRow, SentTable},
    remote, state,
    state::execute,
    sync::Session,
};
use crate::{
    error::SyncError,
    event::SyncReport,
    protocol::{PushRequest, TablePush, name_in},
};

/// Of a kept batch's table: its name, whether its rows are gone from it, and their ids.
#[derive(Serialize, Deserialize)]
struct Layout<'a>(Cow<'a, str>, bool, Vec<i64>);

impl Device {
    /// Sends what was sent before and not answered. A batch the server does not want as it is, is collected
    /// anew.
    pub(super) async fn push_again(
        &self,
        session: Session<'_>,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        session.check(&state::load(&self.db).await?)?;
        let kept = load(&self.db).await?;
        if !kept.is_empty() && !self.anything_pending().await? {
            // What it brought came back with a pull.
            return Ok(forget_all(&self.db).await?);
        }
        for (push_no, layout, body) in kept {
            let Some(batch) = self.read(push_no, &layout, &body) else {
                forget(&self.db, push_no).await?;
                continue;
            };
            match remote::push(session.transport, batch.body.clone()).await {
                Ok(answer) => self.settle_batch(session, &batch, &answer, report).await?,
                Err(error) if error.is_verdict_on_request() => forget(&self.db, push_no).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The batch, with the clock as it is now; none if another version of the program has written it.
    fn read(&self, push_no: i64, layout: &str, body: &str) -> Option<Batch> {
        let layout: Vec<Layout<'_>> = serde_json::from_str(layout).ok()?;
        let mut request: PushRequest<'_> = serde_json::from_str(body).ok()?;
        request.now = self.clock.now_ms();
        let fits =
            |(layout, push): (&Layout<'_>, &TablePush<'_>)| layout.2.len() == push.rows.len();
        if layout.len() != request.tables.len() || !layout.iter().zip(&request.tables).all(fits) {
            return None;
        }
        let tables = layout.into_iter().zip(&request.tables);
        Some(Batch {
            push_no,
            tables: tables.map(|(layout, push)| sent(layout, push)).collect(),
            body: serde_json::to_vec(&request).ok()?,
        })
    }
}

fn sent(Layout(table, gone, ids): Layout<'_>, push: &TablePush<'_>) -> SentTable {
    let rows = ids
        .into_iter()
        .zip(&push.rows)
        .map(|(row_id, row)| SentRow {
            row_id,
            remote_id: name_in(row),
        });
    SentTable::new(table.into_owned(), gone, rows.collect())
}

/// Keeps a batch until it is answered.
pub(super) async fn keep(tx: &DatabaseTransaction, batch: &Batch) -> Result<(), DbErr> {
    let layout: Vec<Layout<'_>> = batch
        .tables
        .iter()
        .map(|table| {
            let ids = table.rows.iter().map(|row| row.row_id).collect();
            Layout(Cow::Borrowed(&table.table), table.gone, ids)
        })
        .collect();
    let layout = serde_json::to_string(&layout).map_err(|e| DbErr::Json(e.to_string()))?;
    let sql = "INSERT INTO sync_sent (push_no, layout, body) VALUES ($1, $2, $3)
               ON CONFLICT (push_no) DO UPDATE SET layout = excluded.layout, body = excluded.body";
    let body = str::from_utf8(&batch.body).map_err(|e| DbErr::Json(e.to_string()))?;
    let values = vec![batch.push_no.into(), layout.into(), body.into()];
    execute(tx, sql, values).await
}

/// The batch was answered, or is not to be sent as it is.
pub(super) async fn forget<C: ConnectionTrait>(db: &C, push_no: i64) -> Result<(), DbErr> {
    let sql = "DELETE FROM sync_sent WHERE push_no = $1";
    execute(db, sql, vec![push_no.into()]).await
}

/// All that is pending is collected anew.
pub(super) async fn forget_all<C: ConnectionTrait>(db: &C) -> Result<(), DbErr> {
    execute(db, "DELETE FROM sync_sent WHERE parked IS NULL", vec![]).await
}

async fn load<C: ConnectionTrait>(db: &C) -> Result<Vec<(i64, String, String)>, DbErr> {
    let sql = "SELECT push_no, layout, body FROM sync_sent WHERE parked IS NULL ORDER BY push_no";
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    let read = rows.iter().map(|row| {
        Ok((
            row.try_get("", "push_no")?,
            row.try_get("", "layout")?,
            row.try_get("", "body")?,
        ))
    });
    read.collect()
}
