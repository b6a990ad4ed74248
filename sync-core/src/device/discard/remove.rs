//! A row that the server never had goes, with what belongs to it.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

use super::forget_gone;
use crate::{
    device::{Device, row_id::Located, state, state::execute, sync::Session},
    error::SyncError,
    registry::Registered,
    shape::EVERY_REGISTER,
    tx,
};

impl Device {
    /// Deletes as a user does, so that rows of other tables that go along are told to a server that has them.
    pub(super) async fn remove(
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
}
