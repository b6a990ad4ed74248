//! A person's answer when the server's data is not what this device has synced with: it was put back to a
//! backup, set up anew, or lacks most of what it had.

use super::{Device, replace, replace::Replacing, resend, state::execute};
use crate::{error::SyncError, owner, schema::millis_of, shape::EVERY_REGISTER, tx};

/// Whose rows are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// All of this device's rows are sent again and merged with the server's, each by its last edit. Nothing
    /// is lost; what others deleted meanwhile may come back.
    KeepMine,
    /// Rows that were synced before and that the server does not have are deleted here. What was never
    /// pushed stays and is pushed.
    TakeTheirs,
}

impl Device {
    /// Begins anew with the server as it is now. The next sync does the work.
    ///
    /// # Errors
    /// If the database fails, or is not connected.
    pub async fn restart(&self, restart: Restart) -> Result<(), SyncError> {
        let Ok(_running) = self.running.try_lock() else {
            return Err(SyncError::Busy);
        };
        let tx = tx::begin_write(&self.db).await?;
        tx::begin_applying(&tx).await?;
        let user = super::state::load(&tx).await?.local_user_id;
        let user = user.ok_or(SyncError::NotConnected)?;
        match restart {
            Restart::TakeTheirs => replace::begin(&tx, Replacing::AsTold).await?,
            Restart::KeepMine => {
                for registered in self.registry.tables() {
                    let (table, id) = (registered.shape.table, registered.shape.id);
                    let whose = owner::owns_row(
                        &self.registry,
                        registered,
                        &format!("\"{table}\".\"{id}\""),
                    );
                    // What is not pending was edited before what is, which has moved `updated_at`.
                    let before = format!(
                        "SELECT min(base_at) FROM sync_pending p WHERE p.tbl = $2 AND p.row_id = \"{table}\".\"{id}\""
                    );
                    let sql = format!(
                        "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
                         SELECT $2, \"{id}\", '{EVERY_REGISTER}', NULL, coalesce(({before}), {}, 0), 1, 0
                         FROM \"{table}\" WHERE remote_id IS NOT NULL AND {whose}
                         ON CONFLICT (tbl, row_id, register) DO NOTHING",
                        millis_of("updated_at")
                    );
                    execute(&tx, &sql, vec![user.as_str().into(), table.into()]).await?;
                    let sql = format!(
                        "UPDATE \"{table}\" SET dirty = TRUE WHERE NOT dirty AND EXISTS
                           (SELECT 1 FROM sync_pending WHERE tbl = $1 AND row_id = \"{table}\".\"{id}\")"
                    );
                    execute(&tx, &sql, vec![table.into()]).await?;
                }
                execute(&tx, "DELETE FROM sync_seen", vec![]).await?;
                let sql = "UPDATE sync_state SET cursor = NULL, replacing = 0";
                execute(&tx, sql, vec![]).await?;
            }
        }
        let sql = "UPDATE sync_state SET epoch = NULL, last_error = NULL, last_error_ms = NULL";
        execute(&tx, sql, vec![]).await?;
        resend::forget_all(&tx).await?;
        tx::end_applying(&tx).await?;
        Ok(tx.commit().await?)
    }
}
