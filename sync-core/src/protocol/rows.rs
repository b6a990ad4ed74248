//! `POST /api/sync/rows`: some rows by name, `GET /api/sync/row`: one row with all that is known of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TablePage;

/// Most names of one [`RowsRequest`].
pub const MOST_NAMES: usize = 1_000;

/// Rows of one table, asked for by their names.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowsRequest {
    /// The table.
    pub table: String,
    /// The rows' names; at most [`MOST_NAMES`].
    pub remote_ids: Vec<String>,
}

/// The rows that the server has, as a pull has them. Names it does not know are left out.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowsAnswer {
    /// The life of the server's data.
    pub epoch: String,
    /// Names that were asked for and have become other names of a row.
    pub aliases: BTreeMap<String, String>,
    /// The rows with the parents they need, parents first.
    pub tables: Vec<TablePage>,
}

/// Which row is to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct RowQuery {
    /// The table.
    #[serde(default)]
    pub table: String,
    /// The row's name, or one that it had.
    #[serde(default)]
    pub remote_id: String,
}

/// All that the server knows of one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowAnswer {
    /// The life of the server's data.
    pub epoch: String,
    /// The server's clock in milliseconds.
    pub now: i64,
    /// The table.
    pub table: String,
    /// The name the row has.
    pub remote_id: String,
    /// Other names that lead to it.
    pub aliases: Vec<String>,
    /// When it was deleted, in milliseconds; none of a live row.
    pub deleted_at: Option<i64>,
    /// When it was last edited, in server time in milliseconds.
    pub at: i64,
    /// Whether only its tombstone is left.
    pub gone: bool,
    /// Whether the server's own copy cannot be read.
    pub unreadable: bool,
    /// Its registers.
    pub registers: Vec<RegisterAnswer>,
    /// The devices that set them.
    pub devices: Vec<DeviceAnswer>,
}

/// One register of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegisterAnswer {
    /// Its name.
    pub register: String,
    /// Its value by column; none where the row is gone or cannot be read.
    pub value: Option<serde_json::Map<String, Value>>,
    /// When it was set, in server time in milliseconds.
    pub at: i64,
    /// The same by the clock of the device that set it.
    pub device_at: i64,
    /// The server's number of the device that set it, or from whose edit it followed.
    pub device: Option<i64>,
    /// How it came to its value.
    pub set_by: SetBy,
    /// The row because of which it has this value: the one that got an exclusive flag, or the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because_of: Option<String>,
}

/// How a register came to its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SetBy {
    /// A device edited it.
    Device,
    /// It was edited in the server's own database.
    Server,
    /// It followed from a device's edit of another row, as children go with their parent.
    Followed,
    /// The server deleted the row because what it belongs to is deleted.
    ParentDeleted,
    /// The server took the flag away because another row got it later.
    ExclusiveCleared,
}

/// A device of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAnswer {
    /// The server's number of it.
    pub number: i64,
    /// What it calls itself.
    pub name: Option<String>,
    /// Whether it is the one that asks.
    pub this: bool,
}
