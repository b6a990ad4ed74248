//! What crosses the wire, shared by both ends.

mod compare;
mod devices;
mod error;
mod events;
mod pull;
mod push;
mod rows;
mod schema;

pub use compare::{BucketSum, CompareAnswer, CompareRequest, CompareTable, RowSum, TableSums};
pub use devices::{Device, DevicesAnswer};
pub use error::{ErrorBody, ErrorCode};
pub use events::{FEED_EVENT, FeedHint};
pub use pull::{Info, Limits, PullPage, PullRow, TablePage};
pub use push::{PushAnswer, PushRequest, PushRow, TablePush, TableVerdicts, Verdict, VerdictKind};
pub use rows::{
    DeviceAnswer, MOST_NAMES, RegisterAnswer, RowAnswer, RowQuery, RowsAnswer, RowsRequest, SetBy,
};
pub use schema::ServerSchema;

/// The columns of a row of any table, as the interface's description shows it.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(as = Row)]
pub struct AnyRow(#[allow(dead_code)] std::collections::BTreeMap<String, serde_json::Value>);

/// The protocol this code speaks. A peer that speaks another is answered `unsupported_protocol`.
pub const PROTOCOL_VERSION: u32 = 1;

/// Where a push is sent.
pub const PUSH_PATH: &str = "/api/sync/push";
/// Where a pull is asked for.
pub const PULL_PATH: &str = "/api/sync/pull";
/// Where a device listens for hints that the feed has moved.
pub const EVENTS_PATH: &str = "/api/sync/events";
/// Where one row is explained.
pub const ROW_PATH: &str = "/api/sync/row";
/// Where rows are asked for by name.
pub const ROWS_PATH: &str = "/api/sync/rows";
/// Where checksums are asked for.
pub const COMPARE_PATH: &str = "/api/sync/compare";
/// Where a server tells its limits.
pub const INFO_PATH: &str = "/api/sync/info";
/// Where a session is turned into a sync token, and a sync token is given back.
pub const TOKEN_PATH: &str = "/api/sync/token";

/// Where the account's devices are told; with `/` and a device's id behind it, where its login is ended.
pub const DEVICES_PATH: &str = "/api/sync/devices";

/// The name a row gives itself, however broken the rest of it is; empty if it gives none.
pub(crate) fn name_in(row: &serde_json::value::RawValue) -> String {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(default)]
        remote_id: String,
    }
    let named = serde_json::from_str::<Named>(row.get());
    named
        .map(|named| named.remote_id.chars().take(64).collect())
        .unwrap_or_default()
}
