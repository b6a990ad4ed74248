//! Rows that hold what cannot be read.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::{Finding, FindingKind, Findings};
use crate::{device::Device, registry::Registered, tx};

/// Rows that are looked at together.
const PAGE: usize = 1_000;

impl Device {
    /// Rows that hold what cannot be read, sent or not.
    pub(super) async fn look_at_values(&self, findings: &mut Findings) -> Result<(), DbErr> {
        for registered in self.registry.tables() {
            let mut next = Some(i64::MIN);
            while let Some(after) = next {
                next = self.look_at_page(registered, after, findings).await?;
            }
        }
        Ok(())
    }

    /// Where the next page begins; none at the table's end.
    async fn look_at_page(
        &self,
        registered: &Registered,
        after: i64,
        findings: &mut Findings,
    ) -> Result<Option<i64>, DbErr> {
        let (table, id) = (registered.shape.table, registered.shape.id);
        let tx = tx::begin_read(&self.db).await?;
        let sql = format!(
            "SELECT CAST(\"{id}\" AS BIGINT) AS id, remote_id FROM \"{table}\"
             WHERE (deleted_at IS NULL OR julianday(deleted_at) IS NULL) AND \"{id}\" > {after} ORDER BY 1 LIMIT {PAGE}"
        );
        let statement = Statement::from_string(tx.get_database_backend(), sql);
        let rows = tx.query_all_raw(statement).await?;
        let mut names = BTreeMap::new();
        for row in &rows {
            // One that is no text names nothing.
            let name: Option<String> = row.try_get("", "remote_id").unwrap_or_default();
            names.insert(row.try_get("", "id")?, name);
        }
        let ids: Vec<i64> = names.keys().copied().collect();
        let now = registered.table.now(&tx, &ids).await?;
        tx.commit().await?;
        for (row_id, fault) in now.unreadable {
            let name = names.remove(&row_id).flatten();
            let kind = FindingKind::Unreadable;
            findings.add(Finding {
                registers: fault.columns.iter().map(|&c| c.to_owned()).collect(),
                message: Some(fault.reason),
                ..Finding::of_row(kind, table, Some(row_id), name.as_deref())
            });
        }
        let is_full = rows.len() == PAGE;
        Ok(ids.last().copied().filter(|_| is_full))
    }
}
