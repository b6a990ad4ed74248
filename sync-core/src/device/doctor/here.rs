//! The live rows of this device, page by page.

use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, Statement};

use crate::{
    checksum::bucket_of,
    device::{Device, state},
    error::SyncError,
    owner,
    registry::Registered,
    row_now::RowNow,
    tx,
    unreadable::Fault,
};

/// Rows that are looked at together.
const PAGE: usize = 1_000;

/// Some of a table's rows.
pub(super) struct Page {
    pub(super) rows: Vec<RowNow>,
    /// Rows that cannot be read: id, name, and why.
    pub(super) unreadable: Vec<(i64, String, Fault)>,
    /// Where the next page begins; none at the table's end.
    pub(super) next: Option<i64>,
}

impl Device {
    /// The account's live rows with a name behind a primary key, only those of some ranges if any are given.
    pub(super) async fn page_here(
        &self,
        registered: &Registered,
        after: i64,
        wanted: Option<&HashSet<u8>>,
    ) -> Result<Page, SyncError> {
        let (table, id) = (registered.shape.table, registered.shape.id);
        let tx = tx::begin_read(&self.db).await?;
        let user = state::load(&tx).await?.local_user_id.unwrap_or_default();
        let sql = format!(
            "SELECT CAST(\"{id}\" AS BIGINT) AS id, remote_id FROM \"{table}\"
             WHERE \"{id}\" > $2 AND deleted_at IS NULL AND remote_id IS NOT NULL AND {} ORDER BY \"{id}\" LIMIT {PAGE}",
            owner::owns_row(&self.registry, registered, &format!("\"{table}\".\"{id}\""))
        );
        let values = [user.into(), after.into()];
        let backend = tx.get_database_backend();
        let found = tx
            .query_all_raw(Statement::from_sql_and_values(backend, sql, values))
            .await?;
        let mut names: HashMap<i64, String> = HashMap::with_capacity(found.len());
        let (mut ids, mut last) = (Vec::with_capacity(found.len()), None);
        for row in &found {
            let (row_id, name): (i64, String) =
                (row.try_get("", "id")?, row.try_get("", "remote_id")?);
            last = Some(row_id);
            if wanted.is_none_or(|wanted| wanted.contains(&bucket_of(&name))) {
                ids.push(row_id);
                names.insert(row_id, name);
            }
        }
        let now = registered.table.now(&tx, &ids).await?;
        tx.commit().await?;
        let unreadable = now.unreadable.into_iter();
        Ok(Page {
            rows: now.rows,
            unreadable: unreadable
                .filter_map(|(id, fault)| Some((id, names.remove(&id)?, fault)))
                .collect(),
            next: last.filter(|_| found.len() == PAGE),
        })
    }
}
