//! What a server syncs, told to devices whose program may be older or newer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{registry::Registry, schema::fingerprint};

/// The tables that a server syncs, and their columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerSchema {
    /// Tells it from every other.
    pub fingerprint: String,
    /// Columns by table.
    pub tables: BTreeMap<String, Vec<String>>,
}

impl ServerSchema {
    /// What a server with this registry syncs.
    pub fn of(registry: &Registry) -> Self {
        let tables: BTreeMap<String, Vec<String>> = registry
            .tables()
            .iter()
            .map(|registered| {
                let columns = registered.shape.columns().map(str::to_owned);
                (registered.shape.table.to_owned(), columns.collect())
            })
            .collect();
        let text = format!("{tables:?}");
        Self {
            fingerprint: fingerprint(text.bytes()),
            tables,
        }
    }
}
