//! The end of an account: its rows go for good, and with them all that was kept of them.

use sea_orm::{DatabaseTransaction, DbErr};

use super::{ServerError, SyncServer, account};
use crate::{
    owner::owns_row,
    registry::Registered,
    tx::{begin_applying, end_applying, execute},
};

/// What is kept of an account beside its rows, by the account's number.
const KEPT: [&str; 5] = [
    "sync_feed",
    "sync_alias",
    "sync_peer",
    "sync_mark",
    "sync_age",
];

impl SyncServer {
    /// Removes all synced rows of an account in a transaction that the caller has begun for writing, and
    /// in which it removes the account's login, too: a push that is on its way would put rows back.
    ///
    /// # Errors
    /// If the database fails. Nothing is removed then, because the transaction cannot be committed.
    pub async fn remove_account(
        &self,
        tx: &DatabaseTransaction,
        user_id: &str,
    ) -> Result<(), ServerError> {
        begin_applying(tx).await?;
        let account = account::lock(tx, user_id).await?;
        // A row's own parents tell whose it is, and so they go last.
        for registered in self.registry.tables().iter().rev() {
            self.remove_rows(tx, registered, user_id).await?;
        }
        // Deletions that were not absorbed are told by the feed.
        let unabsorbed =
            "DELETE FROM sync_deleted WHERE EXISTS (SELECT 1 FROM sync_feed f WHERE f.account = $1
            AND f.tbl = sync_deleted.tbl AND f.remote_id = sync_deleted.remote_id)";
        execute(tx, unabsorbed, vec![account.id.into()]).await?;
        for table in KEPT {
            let sql = format!("DELETE FROM {table} WHERE account = $1");
            execute(tx, &sql, vec![account.id.into()]).await?;
        }
        let sql = "DELETE FROM sync_account WHERE id = $1";
        execute(tx, sql, vec![account.id.into()]).await?;
        Ok(end_applying(tx).await?)
    }

    async fn remove_rows(
        &self,
        tx: &DatabaseTransaction,
        registered: &Registered,
        user_id: &str,
    ) -> Result<(), DbErr> {
        let (table, id) = (registered.shape.table, registered.shape.id);
        let mine = owns_row(&self.registry, registered, "sync_pending.row_id");
        let pending = format!("DELETE FROM sync_pending WHERE tbl = $2 AND {mine}");
        execute(tx, &pending, vec![user_id.into(), table.into()]).await?;
        let mine = owns_row(&self.registry, registered, &format!("\"{table}\".\"{id}\""));
        let rows = format!("DELETE FROM \"{table}\" WHERE {mine}");
        execute(tx, &rows, vec![user_id.into()]).await
    }
}
