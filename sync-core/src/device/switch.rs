//! Another account in place of the one that a database was connected to.
//!
//! Nothing of the one ever goes to the other by itself: a person says what becomes of the rows.

use sea_orm::{DatabaseTransaction, DbErr};

use super::{Connection, Device, State, parked, resend, state, state::execute};
use crate::{error::SyncError, owner, schema::millis_of, shape::EVERY_REGISTER, tx};

/// What becomes of the rows of the account that a database was connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalRows {
    /// They become the new account's: new to its server, and one with its rows where natural keys are equal, or
    /// where there is just one on either side that is like the other.
    Merge,
    /// They stay in the database, with all that is pending, and are not synced until their account is back.
    SetAside,
}

impl Device {
    /// Connects the database to another account than before. A sync that runs ends without effect. Data of that
    /// account which was set aside here earlier is back.
    ///
    /// # Errors
    /// If the database fails; then all is as before.
    pub async fn switch_account(
        &self,
        connection: &Connection,
        local_rows: LocalRows,
    ) -> Result<(), SyncError> {
        let tx = tx::begin_write(&self.db).await?;
        tx::begin_applying(&tx).await?;
        let before = state::load(&tx).await?;
        if let Some(user) = &before.local_user_id {
            match local_rows {
                LocalRows::SetAside => parked::park(&tx, &self.registry, &before, user).await?,
                LocalRows::Merge => self.make_new(&tx, user, &connection.local_user_id).await?,
            }
        }
        forget_account(&tx).await?;
        let now_ms = self.clock.now_ms();
        parked::bring_back(&tx, &self.registry, connection, now_ms).await?;
        state::save_connection(&tx, connection).await?;
        state::save_merging(&tx, local_rows == LocalRows::Merge).await?;
        tx::end_applying(&tx).await?;
        Ok(tx.commit().await?)
    }

    /// Connects a database that is tied to no account, and merges its rows into that account's: also rows that are
    /// only alike, one for one, are taken for the same.
    ///
    /// # Errors
    /// As [`Device::connect`].
    pub async fn connect_and_merge(&self, connection: &Connection) -> Result<(), SyncError> {
        self.connect_as(connection, true).await
    }

    /// Makes rows that a server knows new ones, and gives them to their new owner.
    async fn make_new(
        &self,
        tx: &DatabaseTransaction,
        user: &str,
        new_owner: &str,
    ) -> Result<(), DbErr> {
        for registered in self.registry.tables() {
            let (table, id) = (registered.shape.table, registered.shape.id);
            let row_id = format!("\"{table}\".\"{id}\"");
            let whose = owner::owns_row(&self.registry, registered, &row_id);
            let of_pending = owner::owns_row(&self.registry, registered, "sync_pending.row_id");
            let statements = [
                format!("DELETE FROM sync_pending WHERE tbl = $2 AND {of_pending}"),
                format!(
                    "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
                     SELECT $2, \"{id}\", '{EVERY_REGISTER}', NULL, coalesce(max(0, {}), 0), 1, 0
                     FROM \"{table}\" WHERE {whose} ON CONFLICT (tbl, row_id, register) DO NOTHING",
                    millis_of("updated_at")
                ),
            ];
            for sql in statements {
                execute(tx, &sql, vec![user.into(), table.into()]).await?;
            }
            let sql =
                format!("UPDATE \"{table}\" SET remote_id = NULL, dirty = TRUE WHERE {whose}");
            execute(tx, &sql, vec![user.into()]).await?;
        }
        let owners = self.registry.tables().iter();
        for (table, owner) in owners.filter_map(|r| Some((r.shape.table, r.shape.owner?))) {
            let sql = format!(
                "UPDATE \"{table}\" SET \"{owner}\" = $1 WHERE CAST(\"{owner}\" AS TEXT) = $2 AND $1 <> $2"
            );
            execute(tx, &sql, vec![new_owner.into(), user.into()]).await?;
        }
        Ok(())
    }
}

impl State {
    /// Whether rows of this database are an account's. What an older app left here ties nothing.
    pub fn is_tied(&self) -> bool {
        self.local_user_id.is_some() && self.remote_user_id.is_some()
    }
}

/// Forgets what was about the account alone: how far it was pulled, and rows that could not be synced.
async fn forget_account(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    for table in [
        "sync_deleted",
        "sync_rejected",
        "sync_quarantine",
        "sync_fetched",
        "sync_seen",
    ] {
        execute(tx, &format!("DELETE FROM {table}"), vec![]).await?;
    }
    resend::forget_all(tx).await?;
    // Without the lease a sync of another program cannot write its answers any more.
    let sql =
        "UPDATE sync_state SET epoch = NULL, cursor = NULL, replacing = 0, server_schema = NULL,
               refetch_of = NULL, refetch_cursor = NULL, last_sync_ms = NULL, last_sync_at = NULL,
               lease_holder = NULL, lease_until_ms = 0";
    execute(tx, sql, vec![]).await
}
