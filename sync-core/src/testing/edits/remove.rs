//! Deletes of either kind, and taking them back.

use super::Editor;
use crate::testing::tables::Table;

impl Editor<'_> {
    /// A soft delete of one row; its children follow by themselves.
    pub(super) fn delete(&mut self) -> Option<String> {
        let table = self.table()?.name;
        let row = self.live_row(table)?;
        let now = self.now();
        Some(self.update(&row, &[format!("deleted_at = {now}")]))
    }

    /// Gone for good, and its children with it. Also a row that was deleted softly before.
    pub(super) fn remove(&mut self) -> Option<String> {
        let table = self.table()?;
        let rows: Vec<i64> = self.dump.of(table.name).map(|row| row.id).collect();
        let id = self.rng.pick(&rows)?;
        Some(format!(
            "DELETE FROM \"{}\" WHERE \"{}\" = {id}",
            table.name, table.id
        ))
    }

    /// Brings a row back, and the children that went with it.
    pub(super) fn undelete(&mut self) -> Option<String> {
        let table = self.undeletable()?;
        let row = self.deleted_row(table.name)?;
        Some(self.update(&row, &["deleted_at = NULL".to_owned()]))
    }

    /// A table whose rows may come back.
    pub(super) fn undeletable(&mut self) -> Option<&'static Table> {
        let table = self.table()?;
        let free = table.keys.is_empty() || self.options.undeletes_onto_taken_keys;
        free.then_some(table)
    }
}
