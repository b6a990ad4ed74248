//! A person gives up what is pending of a row: it becomes again what the server has, or goes where the
//! server never had it.

mod remove;
mod take_back;

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};
use serde::Serialize;

use super::{
    Device, RowId, pull, remote, resend, row_id,
    row_id::Located,
    state,
    state::execute,
    sync::{Observer, Session},
};
use crate::{
    error::SyncError,
    protocol::{RowsAnswer, RowsRequest},
    transport::Transport,
    tx,
};

/// What became of a row whose pending changes were given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Discarded {
    /// Its table.
    pub table: String,
    /// Its primary key here, before.
    pub row_id: Option<i64>,
    /// Its name, if it has one.
    pub remote_id: Option<String>,
    /// What was done.
    pub outcome: DiscardOutcome,
    /// Rows that are gone: it and what belonged to it.
    pub n_removed: u64,
}

/// What was done with a row whose pending changes were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscardOutcome {
    /// Nothing of it was pending.
    Nothing,
    /// It is as the server has it.
    TakenBack,
    /// The server never had it: it is gone.
    Removed,
}

/// What is pending of a row, by register, with how often each was edited.
type Pending = BTreeMap<String, i64>;

impl Device {
    /// Drops what is pending of a row. A row that the server has is fetched and taken over; one that it
    /// never had is removed with all that belongs to it, if it was rejected or `confirmed` says so.
    ///
    /// # Errors
    /// [`SyncError::Unconfirmed`] for a row that would be removed; if there is no such row, the server is not
    /// reached, or the database fails. Then nothing has changed.
    pub async fn discard(
        &self,
        transport: &dyn Transport,
        table: &str,
        id: &RowId,
        confirmed: bool,
    ) -> Result<Discarded, SyncError> {
        let nobody: Observer<'_> = &|_| {};
        let session = self.session(transport, nobody);
        self.leased(self.discard_in(session, table, id, confirmed))
            .await
    }

    async fn discard_in(
        &self,
        session: Session<'_>,
        table: &str,
        id: &RowId,
        confirmed: bool,
    ) -> Result<Discarded, SyncError> {
        let row = self.locate(&self.db, table, id).await?;
        let pending = match row.row_id {
            Some(row_id) => pending(&self.db, table, row_id).await?,
            None if row.gone_ms.is_some() => Pending::new(),
            None => return Err(row_id::unknown(table, id)),
        };
        if pending.is_empty() && row.gone_ms.is_none() {
            return Ok(done(&row, DiscardOutcome::Nothing, 0));
        }
        let there = match &row.remote_id {
            Some(name) => self.fetch(session, table, vec![name.clone()]).await?,
            None => None,
        };
        match (there, row.row_id) {
            (Some(there), _) => self.take_back(session, &row, &pending, &there).await,
            (None, Some(row_id)) => {
                let rejected = self.rejected().await?;
                let mut rejected = rejected.iter();
                if !confirmed && !rejected.any(|r| r.table == table && r.row_id == row_id) {
                    return Err(SyncError::Unconfirmed(format!(
                        "the server does not have row {row_id} of `{table}`, so that discarding it removes it for good, \
                         with what belongs to it: say --yes if that is meant"
                    )));
                }
                let n_removed = self.remove(session, &row, row_id).await?;
                Ok(done(&row, DiscardOutcome::Removed, n_removed))
            }
            (None, None) => {
                self.forget_gone_row(session, &row).await?;
                Ok(done(&row, DiscardOutcome::TakenBack, 0))
            }
        }
    }

    /// Rows by their names; none if the server has none of them.
    pub(super) async fn fetch(
        &self,
        session: Session<'_>,
        table: &str,
        remote_ids: Vec<String>,
    ) -> Result<Option<RowsAnswer>, SyncError> {
        let request = RowsRequest {
            table: table.to_owned(),
            remote_ids,
        };
        let answer = remote::rows(session.transport, &request).await?;
        let epoch = state::load(&self.db).await?.epoch;
        if epoch.is_some_and(|epoch| epoch != answer.epoch) {
            return Err(pull::new_life());
        }
        let any = answer.tables.iter().any(|page| page.table == table);
        Ok(any.then_some(answer))
    }

    async fn forget_gone_row(
        &self,
        session: Session<'_>,
        row: &Located<'_>,
    ) -> Result<(), SyncError> {
        let tx = tx::begin_write(&self.db).await?;
        session.check(&state::load(&tx).await?)?;
        forget_gone(&tx, row).await?;
        Ok(tx.commit().await?)
    }
}

fn done(row: &Located<'_>, outcome: DiscardOutcome, n_removed: u64) -> Discarded {
    Discarded {
        table: row.registered.shape.table.to_owned(),
        row_id: row.row_id,
        remote_id: row.remote_id.clone(),
        outcome,
        n_removed,
    }
}

async fn pending<C: ConnectionTrait>(db: &C, table: &str, row_id: i64) -> Result<Pending, DbErr> {
    let sql = "SELECT register, edits FROM sync_pending WHERE tbl = $1 AND row_id = $2";
    let values = [table.into(), row_id.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "register")?, row.try_get("", "edits")?)))
        .collect()
}

/// Gives up the deletion of the row, and what was sent and not answered: sent again as it was, it would bring
/// what was given up.
async fn forget_gone(tx: &DatabaseTransaction, row: &Located<'_>) -> Result<(), DbErr> {
    resend::forget_all(tx).await?;
    let sql = "DELETE FROM sync_deleted WHERE tbl = $1 AND remote_id = $2";
    let table = row.registered.shape.table;
    execute(tx, sql, vec![table.into(), row.remote_id.clone().into()]).await
}
