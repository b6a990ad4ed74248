//! A replacement pull: the server no longer knows what was deleted since this device's cursor, so
//! everything is pulled anew, and what is no longer there goes here too.
//!
//! It may be interrupted and goes on where it stopped: the names it has seen are kept. Whatever was not
//! pushed yet stays; rows that were never on the server are none of its business.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};
use serde::Deserialize;

use super::{Device, State, bury, state, state::execute, sync::Session};
use crate::{
    bulk::CHUNK, error::SyncError, owner, protocol::PullPage, registry::Registered,
    rows::placeholders, shape::EVERY_REGISTER, tx,
};

/// How a running replacement treats rows that the server does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replacing {
    /// They go, unless they are suspiciously many: the server may have lost them.
    Carefully = 1,
    /// They go: a person has said so.
    AsTold = 2,
}

/// Rows that may go without anybody being asked, however few there are.
const FEW: u64 = 20;

impl Replacing {
    /// As it is kept in `sync_state`.
    pub(super) fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Carefully),
            2 => Some(Self::AsTold),
            _ => None,
        }
    }
}

impl Device {
    /// From here on the feed is pulled from its beginning.
    pub(super) async fn begin_replacement(&self, session: Session<'_>) -> Result<(), SyncError> {
        let tx = tx::begin_write(&self.db).await?;
        session.check(&state::load(&tx).await?)?;
        begin(&tx, Replacing::Carefully).await?;
        Ok(tx.commit().await?)
    }

    /// Notes what a page of the replacement holds; behind its last page, removes what none of them held.
    pub(super) async fn replace(
        &self,
        tx: &DatabaseTransaction,
        state: &State,
        page: &PullPage,
    ) -> Result<(), SyncError> {
        let Some(replacing) = state.replacing else {
            return Ok(());
        };
        note_seen(tx, page).await?;
        if page.has_more {
            return Ok(());
        }
        let user = state.local_user_id.as_deref().unwrap_or_default();
        self.find_gone(tx, user).await?;
        if replacing == Replacing::Carefully {
            self.refuse_mass_deletion(tx, user).await?;
        }
        for registered in self.registry.tables().iter().rev() {
            self.remove_gone(tx, registered).await?;
        }
        execute(tx, "DELETE FROM sync_seen", vec![]).await?;
        Ok(execute(tx, "UPDATE sync_state SET replacing = 0", vec![]).await?)
    }

    /// Turns the notes around: from the names that were seen to those that were not.
    async fn find_gone(&self, tx: &DatabaseTransaction, user: &str) -> Result<(), DbErr> {
        for registered in self.registry.tables() {
            let (table, id) = (registered.shape.table, registered.shape.id);
            let sql = format!(
                "INSERT INTO sync_seen (tbl, remote_id, gone)
                 SELECT $2, remote_id, 1 FROM \"{table}\" WHERE remote_id IS NOT NULL AND {}
                   AND NOT EXISTS (SELECT 1 FROM sync_pending p
                     WHERE p.tbl = $2 AND p.row_id = \"{table}\".\"{id}\" AND p.register = '{EVERY_REGISTER}')
                 ON CONFLICT (tbl, remote_id) DO NOTHING",
                owner::owns_row(&self.registry, registered, &format!("\"{table}\".\"{id}\""))
            );
            execute(tx, &sql, vec![user.into(), table.into()]).await?;
        }
        execute(tx, "DELETE FROM sync_seen WHERE gone = 0", vec![]).await
    }

    /// A server that lost its data looks like one where somebody tidied up: a person has to tell.
    async fn refuse_mass_deletion(
        &self,
        tx: &DatabaseTransaction,
        user: &str,
    ) -> Result<(), SyncError> {
        let (mut n_gone, mut n_rows) = (0, 0);
        for registered in self.registry.tables() {
            let (table, id) = (registered.shape.table, registered.shape.id);
            let sql = format!(
                "SELECT count(*) AS n_rows, count(s.remote_id) AS n_gone FROM \"{table}\" t
                 LEFT JOIN sync_seen s ON s.tbl = $2 AND s.remote_id = t.remote_id
                 WHERE t.remote_id IS NOT NULL AND t.deleted_at IS NULL AND {}",
                owner::owns_row(&self.registry, registered, &format!("t.\"{id}\""))
            );
            let backend = tx.get_database_backend();
            let values = [user.into(), table.into()];
            let row = tx
                .query_one_raw(Statement::from_sql_and_values(backend, sql, values))
                .await?;
            if let Some(row) = row {
                n_rows += row.try_get::<i64>("", "n_rows")?.unsigned_abs();
                n_gone += row.try_get::<i64>("", "n_gone")?.unsigned_abs();
            }
        }
        if n_gone > FEW && n_gone * 2 > n_rows {
            return Err(SyncError::MassDeletion { n_gone, n_rows });
        }
        Ok(())
    }

    /// Rows that something refers to, which may not have been pushed, are deleted as a user deletes them:
    /// what hangs on them follows. The others just go.
    async fn remove_gone(
        &self,
        tx: &DatabaseTransaction,
        registered: &Registered,
    ) -> Result<(), DbErr> {
        let (table, id) = (registered.shape.table, registered.shape.id);
        let gone = format!(
            "remote_id IN (SELECT remote_id FROM sync_seen WHERE tbl = '{table}' AND gone = 1)"
        );
        let forget = format!(
            "DELETE FROM sync_pending WHERE tbl = '{table}' AND row_id IN (SELECT \"{id}\" FROM \"{table}\" WHERE {gone})"
        );
        execute(tx, &forget, vec![]).await?;
        let alone: Vec<String> = self
            .registry
            .referring_to(table)
            .map(|(child, target)| {
                format!(
                    " AND NOT EXISTS (SELECT 1 FROM \"{}\" c WHERE c.\"{}\" = \"{table}\".\"{id}\")",
                    child.shape.table, target.column
                )
            })
            .collect();
        let remove = format!("DELETE FROM \"{table}\" WHERE {gone}{}", alone.concat());
        execute(tx, &remove, vec![]).await?;

        tx::end_applying(tx).await?;
        let delete =
            format!("UPDATE \"{table}\" SET deleted_at = $1 WHERE deleted_at IS NULL AND {gone}");
        let now = crate::wire::Millis(self.clock.now_ms()).to_utc();
        execute(tx, &delete, vec![now.into()]).await?;
        for (child, target) in self.registry.referring_to(table) {
            bury::bury_all(tx, child, target, &gone).await?;
        }
        tx::begin_applying(tx).await?;
        execute(tx, &forget, vec![]).await?;
        let nameless =
            format!("UPDATE \"{table}\" SET remote_id = NULL, dirty = FALSE WHERE {gone}");
        execute(tx, &nameless, vec![]).await
    }
}

/// Empties the notes and goes back to the feed's beginning.
pub(super) async fn begin(tx: &DatabaseTransaction, how: Replacing) -> Result<(), DbErr> {
    execute(tx, "DELETE FROM sync_seen", vec![]).await?;
    let sql = "UPDATE sync_state SET cursor = NULL, replacing = $1";
    execute(tx, sql, vec![(how as i64).into()]).await
}

async fn note_seen(tx: &DatabaseTransaction, page: &PullPage) -> Result<(), SyncError> {
    #[derive(Deserialize)]
    struct Named {
        remote_id: String,
    }
    for table in &page.tables {
        let rows: Vec<Named> = serde_json::from_str(table.rows.get())
            .map_err(|error| SyncError::NotASyncServer(error.to_string()))?;
        for rows in rows.chunks(CHUNK) {
            let marks: Vec<String> = (0..rows.len())
                .map(|n| format!("($1, {}, 0)", placeholders(n + 2, 1)))
                .collect();
            let sql = format!(
                "INSERT INTO sync_seen (tbl, remote_id, gone) VALUES {} ON CONFLICT (tbl, remote_id) DO NOTHING",
                marks.join(", ")
            );
            let values: Vec<Value> = std::iter::once(table.table.as_str().into())
                .chain(rows.iter().map(|row| row.remote_id.as_str().into()))
                .collect();
            execute(tx, &sql, values).await?;
        }
    }
    Ok(())
}
