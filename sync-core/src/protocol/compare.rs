//! `POST /api/sync/compare`: checksums of the server's rows, for a device that is at the feed's end.

use serde::{Deserialize, Serialize};

/// What a device wants checksums of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompareRequest {
    /// [`PROTOCOL_VERSION`](super::PROTOCOL_VERSION) of the sender.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1))]
    pub protocol: u32,
    /// How far the device has pulled: unless that is the feed's end there is nothing to compare.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Whether rows that stand in the server's tables and not in its feed are to be put there.
    #[serde(default)]
    pub mend: bool,
    /// The tables.
    pub tables: Vec<CompareTable>,
}

/// Checksums of one table.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompareTable {
    /// The table.
    pub table: String,
    /// The columns the device knows.
    pub columns: Vec<String>,
    /// The ranges whose rows are to be told one by one; none for the sums of all ranges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Vec<u8>>,
}

/// The checksums.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompareAnswer {
    /// The life of the server's data.
    pub epoch: String,
    /// Table by table, as they were asked for.
    pub tables: Vec<TableSums>,
}

/// The checksums of one table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableSums {
    /// The table.
    pub table: String,
    /// Why there are none: `unknown_table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The columns that are in the checksums: those that both ends know.
    pub columns: Vec<String>,
    /// The ranges that hold live rows, where no range was asked for.
    pub buckets: Vec<BucketSum>,
    /// The live rows of the ranges that were asked for.
    pub rows: Vec<RowSum>,
    /// Rows that the server cannot read, by name.
    pub unreadable: Vec<String>,
    /// Live rows of the account that are not in the feed, so that no device can see them.
    pub n_unseen: u64,
}

/// A range of names: all whose hash begins with the same byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BucketSum {
    /// The byte.
    pub bucket: u8,
    /// How many live rows it holds.
    pub n_rows: u64,
    /// Their checksums, each bit added up without carry, in hexadecimal digits.
    pub sum: String,
}

/// A live row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowSum {
    /// Its name.
    pub remote_id: String,
    /// Its checksum in hexadecimal digits.
    pub sum: String,
}
