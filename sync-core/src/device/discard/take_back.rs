//! The server's form of a row, written over what was pending of it.

use sea_orm::{DatabaseTransaction, DbErr};
use serde::Deserialize;

use super::{DiscardOutcome, Discarded, Pending, done, forget_gone};
use crate::{
    device::{
        ApplyContext, Device, collect::SentRow, pull, rename, resend, row_id::Located, settle,
        state, state::execute, sync::Session,
    },
    error::SyncError,
    protocol::RowsAnswer,
    registry::Registered,
    shape::DELETED_AT,
    tx,
    wire::Millis,
};

impl Device {
    pub(super) async fn take_back(
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
            resend::forget_all(&tx).await?;
            self.take_name(&tx, row, row_id, there).await?;
        } else {
            tx::begin_applying(&tx).await?;
            forget_gone(&tx, row).await?;
        }
        self.write_fetched(&tx, row, there).await?;
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
    async fn write_fetched(
        &self,
        tx: &DatabaseTransaction,
        row: &Located<'_>,
        there: &RowsAnswer,
    ) -> Result<(), SyncError> {
        let mut cx = ApplyContext::new(self.clock.now_ms(), &state::load(tx).await?);
        cx.verdicts = true;
        for page in &there.tables {
            if let Some(registered) = self.registry.get(&page.table) {
                let applied = registered.table.apply(tx, &mut cx, &page.rows).await;
                let mut aside = applied.map_err(pull::no_rows)?.quarantined.into_iter();
                let name = name_there(row, there);
                if let Some((_, reason)) = aside.find(|(aside, _)| Some(aside) == name) {
                    return Err(SyncError::NotWritten(reason));
                }
            }
        }
        Ok(())
    }
}

/// The name the row has at the server.
fn name_there<'a>(row: &'a Located<'_>, there: &'a RowsAnswer) -> Option<&'a String> {
    let asked = row.remote_id.as_ref()?;
    Some(there.aliases.get(asked).unwrap_or(asked))
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
    let name = name_there(row, there)?;
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
