//! Foreign keys of a batch, resolved at once: local ids to what travels, and back.

use std::collections::HashMap;

use crate::wire::LookupRow;

/// For rows that go out: what stands on the wire for each local id.
#[derive(Clone, Debug, Default)]
pub struct RemoteNames {
    /// By reference number of the shape: local id to remote id.
    pub references: Vec<HashMap<i64, String>>,
    /// By lookup number of the shape: local id to the row's key and columns.
    pub lookups: Vec<HashMap<i64, LookupRow>>,
}

impl RemoteNames {
    /// The remote id of the row that reference number `reference` points at.
    pub fn reference(&self, reference: usize, id: Option<i64>) -> Option<String> {
        self.references.get(reference)?.get(&id?).cloned()
    }

    /// The row that lookup number `lookup` points at.
    pub fn lookup(&self, lookup: usize, id: Option<i64>) -> Option<LookupRow> {
        self.lookups.get(lookup)?.get(&id?).cloned()
    }
}

/// For rows that come in: the local id of each name.
#[derive(Clone, Debug, Default)]
pub struct LocalIds {
    /// By reference number of the shape: remote id to local id.
    pub references: Vec<HashMap<String, i64>>,
    /// By lookup number of the shape: key to local id.
    pub lookups: Vec<HashMap<String, i64>>,
}

impl LocalIds {
    /// The local id of the row with this remote id: `None` if it is not here, `Some(None)` for NULL.
    pub fn reference(&self, reference: usize, remote_id: Option<&str>) -> Option<Option<i64>> {
        let Some(remote_id) = remote_id else {
            return Some(None);
        };
        self.references
            .get(reference)?
            .get(remote_id)
            .copied()
            .map(Some)
    }

    /// The local id of the looked-up row: `None` if it is not here, `Some(None)` for NULL.
    pub fn lookup(&self, lookup: usize, key: &str, row: Option<&LookupRow>) -> Option<Option<i64>> {
        let Some(row) = row else { return Some(None) };
        let name = row.get(key)?.as_str()?;
        self.lookups.get(lookup)?.get(name).copied().map(Some)
    }
}
