//! What holds of a device that has nothing left to do.

use anyhow::{Result, ensure};

use crate::{TestDevice, synced_rows::SyncedTable};

impl TestDevice {
    /// Checks that all is at the server and nothing is new there: nothing pending, dirty, rejected or
    /// quarantined, no reference that leads nowhere, and another sync finds nothing to do.
    ///
    /// # Errors
    /// Says what does not hold.
    pub async fn is_at_rest(&self) -> Result<()> {
        let pending = self.pending().await?;
        ensure!(pending.is_empty(), "still pending: {pending:?}");
        let gone = self.rows("SELECT tbl, row_id FROM sync_deleted").await?;
        ensure!(gone.is_empty(), "deletions still pending: {gone:?}");
        for table in SyncedTable::all() {
            let dirty = format!("SELECT id FROM {} WHERE dirty IS NOT 0", table.name);
            let dirty = self.rows(&dirty).await?;
            ensure!(dirty.is_empty(), "dirty in {}: {dirty:?}", table.name);
        }
        let broken = self
            .rows("SELECT \"table\", rowid FROM pragma_foreign_key_check")
            .await?;
        ensure!(
            broken.is_empty(),
            "references that lead nowhere: {broken:?}"
        );
        let status = self.status().await?;
        ensure!(
            status.rejected.is_empty() && status.quarantined.is_empty(),
            "left behind: {status:?}"
        );
        let again = self.sync().await?;
        ensure!(
            again == Default::default(),
            "another sync did something: {again:?}"
        );
        Ok(())
    }
}
