//! `POST /api/sync/push`: local changes to the server.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A bounded batch of changed rows. Applied as a whole: visible entirely or not at all.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PushRequest<'a> {
    /// [`PROTOCOL_VERSION`](super::PROTOCOL_VERSION) of the sender.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1))]
    pub protocol: u32,
    /// Counts this device's pushes, kept before sending: a request that was overtaken by a later one
    /// says nothing new and is refused.
    pub push_no: i64,
    /// The device's clock when it sent, in milliseconds.
    pub now: i64,
    /// The life of the server's data that the device has synced with; none before the first answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Cow<'a, str>>,
    /// How far the device has pulled; none before its first page. What it missed might forbid the push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cow<'a, str>>,
    /// Changed rows by table, in any order.
    #[serde(borrow)]
    pub tables: Vec<TablePush<'a>>,
}

/// Changed rows of one table.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TablePush<'a> {
    /// The table.
    #[serde(borrow)]
    pub table: Cow<'a, str>,
    /// Each a [`PushRow`]; read one by one, so that a bad row cannot reject the others.
    #[serde(borrow)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<PushRow<super::AnyRow>>))]
    pub rows: Vec<Cow<'a, RawValue>>,
}

/// One changed row; `W` is its entity's wire struct.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushRow<W> {
    /// The row's name; the device made it up when it first sent the row.
    pub remote_id: String,
    /// When each changed register was last edited, by the device's clock in milliseconds.
    /// `*` stands for every register without an entry of its own.
    #[serde(deserialize_with = "each_once")]
    pub changed: BTreeMap<String, i64>,
    /// How far the device had pulled when it first edited a register, where that is not the request's cursor;
    /// what is sent under `*` without a cursor was made on nothing. An edit beats what its device had seen,
    /// whatever the clocks say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cursors: BTreeMap<String, String>,
    /// The columns of the changed registers.
    pub row: W,
}

/// A map in which no name stands twice: which of two values is meant cannot be known.
fn each_once<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, i64>, D::Error> {
    struct EachOnce;
    impl<'de> Visitor<'de> for EachOnce {
        type Value = BTreeMap<String, i64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("registers with the times of their last edits")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut registers = BTreeMap::new();
            while let Some((register, at)) = map.next_entry()? {
                if registers.insert(register, at).is_some() {
                    return Err(A::Error::custom("a register stands twice in `changed`"));
                }
            }
            Ok(registers)
        }
    }
    deserializer.deserialize_map(EachOnce)
}

/// What became of a push.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushAnswer {
    /// The life of the server's data.
    pub epoch: String,
    /// Cursor of the feed before this push.
    pub before: String,
    /// Cursor behind the rows of this push. A device whose cursor stood at `before` has seen all up to here.
    pub after: String,
    /// A verdict for every row, in the order of the request.
    pub tables: Vec<TableVerdicts>,
}

/// The verdicts for one table.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableVerdicts {
    /// The table.
    pub table: String,
    /// One verdict a row, in the order of the request.
    pub rows: Vec<Verdict>,
}

/// The server's answer for one row.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// The name the row was pushed by.
    pub remote_id: String,
    /// What became of it.
    pub verdict: VerdictKind,
    /// For `rejected`, and for rows changed on their way: why, as a stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For `rejected`: the column at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// For `rejected`: what is wrong, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// For `merged`: the name the row has, where it is not the one it was pushed by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<String>,
    /// For `merged`: the row as it now is, a [`PullRow`](super::PullRow)'s `row`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<super::AnyRow>))]
    pub row: Option<Box<RawValue>>,
    /// For `merged`: when the row was last edited, in server time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

impl Verdict {
    /// A verdict that needs no more words.
    pub fn plain(remote_id: impl Into<String>, verdict: VerdictKind) -> Self {
        Self {
            remote_id: remote_id.into(),
            verdict,
            code: None,
            field: None,
            message: None,
            renamed_to: None,
            row: None,
            at: None,
        }
    }
}

/// What became of a pushed row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// The row is now as it was pushed.
    Applied,
    /// The row now differs from what was pushed; the answer holds it.
    Merged,
    /// The server had it already.
    Unchanged,
    /// The row was not taken; the others were.
    Rejected,
}
