//! `GET /api/sync/pull`: what changed behind a cursor, and `GET /api/sync/info`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ServerSchema;

/// A closed page of the change feed: every parent a row needs is in it or was before it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PullPage {
    /// The life of the server's data.
    pub epoch: String,
    /// Where the next page begins. Opaque.
    pub cursor: String,
    /// The feed's end when the page was read. Opaque.
    pub head: String,
    /// Whether there is more behind `cursor`.
    pub has_more: bool,
    /// Rows by table, parents first.
    pub tables: Vec<TablePage>,
    /// What the server syncs, where the device asked because it knows of nothing, or of something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<ServerSchema>,
}

/// Rows of one table.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TablePage {
    /// The table.
    pub table: String,
    /// An array of [`PullRow`].
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<PullRow<super::AnyRow>>))]
    pub rows: Box<RawValue>,
}

/// One row as the server has it; `W` is its entity's wire struct.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PullRow<W> {
    /// The row's name.
    pub remote_id: String,
    /// When it was last edited, in server time in milliseconds.
    pub at: i64,
    /// The row, or nothing but `deleted_at` where only a tombstone is left.
    pub row: W,
}

/// What a server tells before anything is synced.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Info {
    /// Protocol versions the server speaks.
    pub protocols: Vec<u32>,
    /// The server's clock in milliseconds.
    pub now: i64,
    /// The life of the server's data.
    pub epoch: String,
    /// What it takes at once.
    pub limits: Limits,
}

/// What a server takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Most bytes of a request's body, decompressed.
    pub body_bytes: usize,
    /// Most rows of one push.
    pub push_rows: usize,
    /// Most bytes of one pushed row.
    pub row_bytes: usize,
    /// Most rows of one page.
    pub page_rows: u32,
    /// Most live rows of an account, if there is a limit. What is too much is rejected row by row with
    /// `account_full`, and taken as soon as there is room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_rows: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 << 20,
            push_rows: 5_000,
            row_bytes: 1 << 20,
            page_rows: 5_000,
            account_rows: None,
        }
    }
}
