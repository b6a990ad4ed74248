//! Rows of feed entries as they travel.

use std::collections::HashMap;

use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::value::{RawValue, to_raw_value};

use super::Entry;
use crate::{
    protocol::PullRow,
    syncable::Syncable,
    table::Table,
    wire::{Field, Millis, WireRow},
};

/// A row on its way into a page.
pub(crate) struct PageRow {
    /// Its position in the feed.
    pub(crate) seq: i64,
    /// A [`PullRow`].
    pub(crate) json: Box<RawValue>,
    /// The parents it needs on the device: reference number and remote id.
    pub(crate) needs: Vec<(usize, String)>,
}

impl<E: Syncable> Table<E> {
    pub(crate) async fn page_rows(
        &self,
        tx: &DatabaseTransaction,
        entries: &[Entry],
    ) -> Result<Vec<PageRow>, DbErr> {
        let ids: Vec<i64> = entries.iter().map(|entry| entry.row_id).collect();
        let (models, unreadable) = self.load_or_leave_out(tx, &ids, false).await?;
        let names = self.names(tx, models.values()).await?;
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            if unreadable.contains(&entry.row_id) {
                // Correcting it is an edit, which gives it a new place in the feed.
                continue;
            }
            // Another row may have come to a deleted one's id.
            let is_it = |model: &E::Model| E::meta(model).remote_id == Some(&entry.remote_id);
            let row = match models.get(&entry.row_id).filter(|model| is_it(model)) {
                Some(model) => E::to_wire(model.clone(), &names),
                None => tombstone(entry),
            };
            rows.push(self.page_row(entry, row)?);
        }
        Ok(rows)
    }

    fn page_row(&self, entry: &Entry, row: E::Wire) -> Result<PageRow, DbErr> {
        let needs =
            self.targets
                .iter()
                .enumerate()
                .filter_map(|(number, _)| match row.reference(number) {
                    Field::Present(Some(name)) if row.deleted_at().is_none() => {
                        Some((number, name.clone()))
                    }
                    _ => None,
                });
        let needs = needs.collect();
        let row = PullRow {
            remote_id: entry.remote_id.clone(),
            at: entry.clocks.latest(),
            row,
        };
        let json = to_raw_value(&row).map_err(|e| DbErr::Json(e.to_string()))?;
        Ok(PageRow {
            seq: entry.seq,
            json,
            needs,
        })
    }
}

/// The row is gone; only its deletion is left to tell.
fn tombstone<W: WireRow>(entry: &Entry) -> W {
    let mut row = W::default();
    let at = entry
        .deleted_at
        .unwrap_or_else(|| entry.deletion_stamp().at());
    row.set_deleted_at(Some(Millis(at)));
    row
}

/// Entries by table.
pub(super) fn by_table(entries: Vec<Entry>) -> HashMap<String, Vec<Entry>> {
    let mut tables: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in entries {
        tables.entry(entry.table.clone()).or_default().push(entry);
    }
    tables
}
