//! A person gives up what is pending of a row: it becomes again what the server has, or goes where the
//! server never had it.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};
use serde::{Deserialize, Serialize};

use super::{
    ApplyContext, Device, RowId,
    collect::SentRow,
    pull, remote, rename,
    row_id::Located,
    settle, state,
    state::execute,
    sync::{Observer, Session},
};
use crate::{
    error::SyncError,
    protocol::{RowsAnswer, RowsRequest},
    registry::Registered,
    shape::{DELETED_AT, EVERY_REGISTER},
    transport::Transport,
    tx,
    wire::Millis,
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
            None => return Err(super::row_id::unknown(table, id)),
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

    async fn take_back(
        &self,
        session: Session<'_>,
        row: &Located<'_>,
        seen: &Pending,
        there: &RowsAnswer,
    ) -> Result<Discarded, SyncError> {
        let registered = row.registered;
        let tx = tx::begin_write(&self.db).await?;
        session.check(&state::load(&tx).await?)?;
        if let Some(row_id) = row.row_id {
            if seen.contains_key(DELETED_AT) {
                turn_deletion(&tx, registered, row_id, deleted_at(row, there)).await?;
            }
            tx::begin_applying(&tx).await?;
            drop_seen(&tx, registered, row_id, seen).await?;
            self.take_name(&tx, row, row_id, there).await?;
        } else {
            tx::begin_applying(&tx).await?;
            forget_gone(&tx, row).await?;
        }
        self.apply_rows_of(&tx, there).await?;
        tx::end_applying(&tx).await?;
        tx.commit().await?;
        Ok(done(row, DiscardOutcome::TakenBack, 0))
    }

    /// The server may know the row by another name: another device made the same thing before.
    async fn take_name(
        &self,
        tx: &DatabaseTransaction,
        row: &Located<'_>,
        row_id: i64,
        there: &RowsAnswer,
    ) -> Result<(), DbErr> {
        let Some(name) = row.remote_id.as_ref() else {
            return Ok(());
        };
        let Some(winner) = there.aliases.get(name) else {
            return Ok(());
        };
        let sent = SentRow {
            row_id,
            remote_id: name.clone(),
        };
        let now_ms = self.clock.now_ms();
        rename::rename(tx, &self.registry, row.registered, &sent, winner, now_ms).await
    }

    /// Writes rows that were fetched by name.
    pub(super) async fn apply_rows_of(
        &self,
        tx: &DatabaseTransaction,
        there: &RowsAnswer,
    ) -> Result<(), SyncError> {
        let mut cx = ApplyContext::new(self.clock.now_ms(), &state::load(tx).await?);
        cx.verdicts = true;
        for page in &there.tables {
            if let Some(registered) = self.registry.get(&page.table) {
                let applied = registered.table.apply(tx, &mut cx, &page.rows).await;
                applied.map_err(pull::no_rows)?;
            }
        }
        Ok(())
    }

    /// Deletes as a user does, so that rows of other tables that go along are told to a server that has them.
    async fn remove(
        &self,
        session: Session<'_>,
        row: &Located<'_>,
        row_id: i64,
    ) -> Result<u64, SyncError> {
        let (table, id) = (row.registered.shape.table, row.registered.shape.id);
        let tx = tx::begin_write(&self.db).await?;
        session.check(&state::load(&tx).await?)?;
        self.refuse_known_children(&tx, row.registered, row_id)
            .await?;
        let before = self.n_rows(&tx).await?;
        let sql = format!("DELETE FROM \"{table}\" WHERE \"{id}\" = $1");
        execute(&tx, &sql, vec![row_id.into()]).await?;
        forget_gone(&tx, row).await?;
        let removed = before - self.n_rows(&tx).await?;
        tx.commit().await?;
        Ok(removed.unsigned_abs())
    }

    /// A row of the server that was moved here under the row that is to go would be deleted everywhere.
    async fn refuse_known_children(
        &self,
        tx: &DatabaseTransaction,
        registered: &Registered,
        row_id: i64,
    ) -> Result<(), SyncError> {
        let table = registered.shape.table;
        for (child, target) in self
            .registry
            .referring_to(table)
            .filter(|(_, target)| target.parent)
        {
            let (name, id) = (child.shape.table, child.shape.id);
            let sql = format!(
                "SELECT count(*) AS n FROM \"{name}\" c WHERE c.\"{}\" = $1 AND c.remote_id IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM sync_pending p
                     WHERE p.tbl = $2 AND p.row_id = c.\"{id}\" AND p.register = '{EVERY_REGISTER}')",
                target.column
            );
            let values = [row_id.into(), name.into()];
            let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
            let found = tx.query_one_raw(statement).await?;
            let n: i64 = found.map_or(Ok(0), |row| row.try_get("", "n"))?;
            if n > 0 {
                return Err(SyncError::Unconfirmed(format!(
                    "{n} rows of `{name}` that the server has were moved to row {row_id} of `{table}`: move or \
                     discard them first"
                )));
            }
        }
        Ok(())
    }

    async fn n_rows(&self, tx: &DatabaseTransaction) -> Result<i64, DbErr> {
        let each = self.registry.tables().iter();
        let each =
            each.map(|registered| format!("(SELECT count(*) FROM \"{}\")", registered.shape.table));
        let sql = format!("SELECT {} AS n", each.collect::<Vec<_>>().join(" + "));
        let statement = Statement::from_string(tx.get_database_backend(), sql);
        let row = tx.query_one_raw(statement).await?;
        row.map_or(Ok(0), |row| row.try_get("", "n"))
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

/// When the server's form of the row was deleted.
fn deleted_at(row: &Located<'_>, there: &RowsAnswer) -> Option<Millis> {
    #[derive(Deserialize)]
    struct Named {
        remote_id: String,
        row: Deleted,
    }
    #[derive(Deserialize)]
    struct Deleted {
        deleted_at: Option<Millis>,
    }
    let asked = row.remote_id.as_ref()?;
    let name = there.aliases.get(asked).unwrap_or(asked);
    let table = row.registered.shape.table;
    let page = there.tables.iter().find(|page| page.table == table)?;
    let rows: Vec<Named> = serde_json::from_str(page.rows.get()).ok()?;
    rows.into_iter()
        .find(|row| row.remote_id == *name)?
        .row
        .deleted_at
}

/// Where the row is deleted on one side only, turns that around as a user does: what went with it comes back,
/// and the other way round.
async fn turn_deletion(
    tx: &DatabaseTransaction,
    registered: &Registered,
    row_id: i64,
    deleted_at: Option<Millis>,
) -> Result<(), DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let sql = format!(
        "UPDATE \"{table}\" SET deleted_at = $2 WHERE \"{id}\" = $1 AND (deleted_at IS NULL) <> ($2 IS NULL)"
    );
    let deleted_at = deleted_at.map(Millis::to_utc);
    execute(tx, &sql, vec![row_id.into(), deleted_at.into()]).await
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

/// An edit made while the server was asked is another one, and stays pending. What turning a deletion around
/// has added goes too.
async fn drop_seen(
    tx: &DatabaseTransaction,
    registered: &Registered,
    row_id: i64,
    seen: &Pending,
) -> Result<(), DbErr> {
    let table = registered.shape.table;
    for (register, edits) in seen {
        let own = i64::from(register == DELETED_AT);
        let sql = "DELETE FROM sync_pending WHERE tbl = $1 AND row_id = $2 AND register = $3 AND edits <= $4";
        let values = vec![
            table.into(),
            row_id.into(),
            register.as_str().into(),
            (edits + own).into(),
        ];
        execute(tx, sql, values).await?;
    }
    let sql = "DELETE FROM sync_rejected WHERE tbl = $1 AND row_id = $2";
    execute(tx, sql, vec![table.into(), row_id.into()]).await?;
    settle::clean(tx, registered, &[row_id]).await
}

async fn forget_gone(tx: &DatabaseTransaction, row: &Located<'_>) -> Result<(), DbErr> {
    let sql = "DELETE FROM sync_deleted WHERE tbl = $1 AND remote_id = $2";
    let table = row.registered.shape.table;
    execute(tx, sql, vec![table.into(), row.remote_id.clone().into()]).await
}
