//! What is told of a row.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    device::{QuarantinedRow, RejectedRow},
    protocol::SetBy,
};

/// All that is known of one row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Its table.
    pub table: String,
    /// Its primary key here.
    pub row_id: Option<i64>,
    /// The name it has here, or was asked for by.
    pub remote_id: Option<String>,
    /// How it stands in this database.
    pub here: RowState,
    /// When it was deleted here, in milliseconds.
    pub deleted_ms: Option<i64>,
    /// Why the server did not take it.
    pub rejected: Option<RejectedRow>,
    /// Why a newer form of it cannot be written here.
    pub quarantined: Option<QuarantinedRow>,
    /// Its registers.
    pub registers: Vec<RegisterNow>,
    /// Edits made here that gave way to others', the latest first.
    pub gave_way: Vec<GaveWay>,
    /// What the server says of the row as a whole; none if it was not asked or does not have it.
    pub server: Option<ServerSide>,
    /// Why the server says nothing: a stable word, `unknown_row` if it does not have the row.
    pub server_error: Option<String>,
    /// The same in words.
    pub server_message: Option<String>,
}

/// How a row stands in this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// It is there.
    Live,
    /// It is deleted and can come back.
    Deleted,
    /// It was deleted for good, and the server does not know yet.
    Gone,
    /// It is not here.
    Absent,
    /// It is there, and holds what its columns cannot.
    Unreadable,
}

/// What the server says of a row as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerSide {
    /// The name it has there.
    pub remote_id: String,
    /// Whether the name here is another that merely leads to it.
    pub is_alias: bool,
    /// Other names that lead to it.
    pub aliases: Vec<String>,
    /// When it was last edited, in server time in milliseconds.
    pub at_ms: i64,
    /// When it was deleted, in milliseconds.
    pub deleted_ms: Option<i64>,
    /// Whether only its tombstone is left.
    pub gone: bool,
    /// Whether the server cannot read its own copy.
    pub unreadable: bool,
}

/// One register of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegisterNow {
    /// Its name.
    pub register: String,
    /// The rule of its merge: `latest`, `min`, `max`, or a function's path.
    pub rule: String,
    /// Whether its columns merge as one.
    pub is_group: bool,
    /// Its value here, by column.
    pub here: Option<Map<String, Value>>,
    /// Its value at the server, by column.
    pub server: Option<Map<String, Value>>,
    /// Whether both are the same; none if one is not known.
    pub same: Option<bool>,
    /// How it came to the server's value.
    pub set: Option<SetAt>,
    /// What decided that value: `latest`, `tie` (both edits were of one time, and the greater value stood),
    /// `min`, `max` or a function's path; or, where no edit of it did, `parent_deleted`, `followed`,
    /// `exclusive_cleared` or `server`.
    pub decided_by: Option<String>,
    /// What is pending of it here.
    pub pending: Option<PendingEdit>,
    /// What the server will make of that, as far as this device can tell.
    pub outlook: Option<Outlook>,
}

/// How a register came to the server's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetAt {
    /// How.
    pub by: SetBy,
    /// The server's number of the device.
    pub device: Option<i64>,
    /// What the device calls itself.
    pub device_name: Option<String>,
    /// Whether that is this device.
    pub this_device: bool,
    /// When, in server time in milliseconds.
    pub at_ms: i64,
    /// The row because of which it has this value.
    pub because_of: Option<String>,
}

/// An edit that the server has not taken yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PendingEdit {
    /// When it was last edited, by this device's clock in milliseconds.
    pub edited_ms: i64,
    /// How often it was edited since the server last took it.
    pub n_edits: i64,
    /// How many of these edits were sent, answered or not.
    pub n_sent: i64,
    /// The value before the first edit, as SQL text; none of a row that is new or pending as a whole.
    pub before: Option<String>,
    /// Whether the row is pending as a whole.
    pub whole: bool,
}

/// What the server will make of a pending edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    /// The server has the same value already.
    Same,
    /// It is the later edit, or the row is new: it will stand.
    Wins,
    /// The server has a later edit: it will give way.
    GivesWay,
    /// Both edits are of one time: the greater value stands.
    Tie,
    /// The rule makes one value of both.
    ByRule,
}

/// An edit made here that gave way to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GaveWay {
    /// The register.
    pub register: String,
    /// What it was here, as JSON text.
    pub local: Option<String>,
    /// What it gave way to, as JSON text.
    pub remote: Option<String>,
    /// When it was edited here, in milliseconds; none of what was no edit.
    pub edited_ms: Option<i64>,
    /// When it gave way, by this device's clock in milliseconds.
    pub at_ms: i64,
}
