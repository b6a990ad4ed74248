//! Rows that a device asks for by their names.

use std::collections::HashSet;

use super::{Caller, PageRow, ServerError, SyncServer, account, feed};
use crate::{
    ids::is_canonical,
    protocol::{ErrorCode, MOST_NAMES, RowsAnswer, RowsRequest},
    registry::Registered,
    retry::retry,
    tx,
};

impl SyncServer {
    /// The rows with these names as a pull has them, with the parents they need. A name of another account
    /// is as unknown as one that nobody has.
    ///
    /// # Errors
    /// If the request cannot be carried out as it is, or the database fails.
    pub async fn rows(&self, caller: &Caller, body: &[u8]) -> Result<RowsAnswer, ServerError> {
        let request: RowsRequest = serde_json::from_slice(body)
            .map_err(|e| ServerError::bad_request(format!("this asks for no rows: {e}")))?;
        let table = self.known_table(&request.table)?.shape.table;
        if request.remote_ids.len() > MOST_NAMES {
            let message = format!(
                "{} names in one request; ask for at most {MOST_NAMES}",
                request.remote_ids.len()
            );
            return Err(ServerError::refused(ErrorCode::TooManyRows, message));
        }
        self.absorb(caller).await?;
        retry(|| self.rows_once(caller, table, &request.remote_ids)).await
    }

    async fn rows_once(
        &self,
        caller: &Caller,
        table: &str,
        names: &[String],
    ) -> Result<RowsAnswer, ServerError> {
        let tx = tx::begin_read(&self.db.read).await?;
        let mut answer = RowsAnswer {
            epoch: account::epoch(&tx).await?,
            aliases: Default::default(),
            tables: Vec::new(),
        };
        if let Some(account) = account::find(&tx, &caller.user_id).await? {
            // What is no name of ours is nobody's; not every database takes every text.
            let names = names.iter().map(String::as_str);
            let asked: Vec<&str> = names.filter(|name| is_canonical(name)).collect();
            let aliases = feed::aliases(&tx, account.id, table, &asked).await?;
            let names: Vec<&str> = asked
                .iter()
                .map(|name| aliases.get(*name).map_or(*name, String::as_str))
                .collect();
            let entries = feed::find(&tx, account.id, table, &names).await?;
            let mut rows = self.page_of(&tx, entries.into_values().collect()).await?;
            self.close(&tx, account.id, i64::MIN, &mut rows).await?;
            rows.values_mut().for_each(each_once);
            answer.tables = self.tables(rows)?;
            answer.aliases = aliases.into_iter().collect();
        }
        tx.commit().await?;
        Ok(answer)
    }

    /// The table with this name.
    pub(super) fn known_table(&self, table: &str) -> Result<&Registered, ServerError> {
        let message = "this server syncs no table of this name; correct it, or update the server";
        let unknown = || ServerError::refused(ErrorCode::UnknownTable, message);
        self.registry.get(table).ok_or_else(unknown)
    }
}

/// A parent may have been asked for itself.
fn each_once(rows: &mut Vec<PageRow>) {
    let mut seen = HashSet::new();
    rows.retain(|row| seen.insert(row.seq));
}
