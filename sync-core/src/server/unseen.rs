//! Rows that stand in the server's tables and not in its feed, because something wrote them past the
//! triggers: no device can see them.

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::{Caller, ServerError, SyncServer};
use crate::{
    owner, registry::Registered, retry::retry, schema::now_sql, shape::EVERY_REGISTER, tx,
};

impl SyncServer {
    /// How many live rows of the account no device can see.
    pub(super) async fn n_unseen<C: ConnectionTrait>(
        &self,
        db: &C,
        caller: &Caller,
        registered: &Registered,
    ) -> Result<u64, DbErr> {
        let sql = format!("SELECT count(*) AS n FROM {}", self.unseen(registered));
        let values = [
            caller.user_id.as_str().into(),
            registered.shape.table.into(),
        ];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        let row = db.query_one_raw(statement).await?;
        let n: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
        Ok(n.unsigned_abs())
    }

    /// Makes them pending changes, which absorbing puts into the feed.
    pub(super) async fn enter_unseen(&self, caller: &Caller) -> Result<(), ServerError> {
        retry(|| self.enter_unseen_once(caller)).await
    }

    async fn enter_unseen_once(&self, caller: &Caller) -> Result<(), ServerError> {
        let tx = tx::begin_write(&self.db.write).await?;
        for registered in self.registry.tables() {
            let (table, id) = (registered.shape.table, registered.shape.id);
            let sql = format!(
                "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
                 SELECT $2, \"{table}\".\"{id}\", '{EVERY_REGISTER}', NULL, {}, 1, 0 FROM {}
                 ON CONFLICT (tbl, row_id, register) DO NOTHING",
                now_sql(tx.get_database_backend()),
                self.unseen(registered)
            );
            tx::execute(
                &tx,
                &sql,
                vec![caller.user_id.as_str().into(), table.into()],
            )
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// What stands behind `FROM`; `$1` is the account and `$2` the table.
    fn unseen(&self, registered: &Registered) -> String {
        let (table, id) = (registered.shape.table, registered.shape.id);
        let row_id = format!("\"{table}\".\"{id}\"");
        format!(
            "\"{table}\" WHERE deleted_at IS NULL AND {}
               AND NOT EXISTS (SELECT 1 FROM sync_pending p WHERE p.tbl = $2 AND p.row_id = {row_id})
               AND NOT EXISTS (SELECT 1 FROM sync_feed f JOIN sync_account a ON a.id = f.account
                 WHERE a.user_id = $1 AND f.tbl = $2 AND f.remote_id = \"{table}\".remote_id AND f.row_id = {row_id})",
            owner::owns_row(&self.registry, registered, &row_id)
        )
    }
}
