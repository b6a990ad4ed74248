//! The body of every answer that is an error.

use serde::{Deserialize, Serialize};

/// An error as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// A stable word for programs.
    pub code: String,
    /// What happened and what to do, for people.
    pub message: String,
    /// With `push_overtaken`: the number of the device's last push that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_push_no: Option<i64>,
}

impl ErrorBody {
    /// A body with a code and words.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            last_push_no: None,
        }
    }
}

/// The codes that the sync endpoints answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The body is not what the endpoint takes.
    BadRequest,
    /// The device speaks another protocol version.
    UnsupportedProtocol,
    /// More rows than one push may hold.
    TooManyRows,
    /// A later push of the same device was taken before this one.
    PushOvertaken,
    /// The cursor is not one this server gave out.
    BadCursor,
    /// The cursor is older than what the server remembers of deleted rows.
    CursorTooOld,
    /// The server's data began a new life, such as after a restored backup.
    EpochChanged,
    /// The cursor is ahead of the server's feed.
    CursorAhead,
    /// The feed has more than the device has pulled: it has to pull before the two can be compared.
    FeedMoved,
    /// The server does not sync such a table.
    UnknownTable,
    /// The account has no such row.
    UnknownRow,
    /// The server cannot answer now.
    Unavailable,
    /// The server failed.
    Internal,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 13] = [
        Self::BadRequest,
        Self::UnsupportedProtocol,
        Self::TooManyRows,
        Self::PushOvertaken,
        Self::BadCursor,
        Self::CursorTooOld,
        Self::EpochChanged,
        Self::CursorAhead,
        Self::FeedMoved,
        Self::UnknownTable,
        Self::UnknownRow,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::UnsupportedProtocol => "unsupported_protocol",
            Self::TooManyRows => "too_many_rows",
            Self::PushOvertaken => "push_overtaken",
            Self::BadCursor => "bad_cursor",
            Self::CursorTooOld => "cursor_too_old",
            Self::EpochChanged => "epoch_changed",
            Self::CursorAhead => "cursor_ahead",
            Self::FeedMoved => "feed_moved",
            Self::UnknownTable => "unknown_table",
            Self::UnknownRow => "unknown_row",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The code for a word, if it is one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }

    /// The HTTP status it travels with.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::BadCursor => 400,
            Self::UnsupportedProtocol => 426,
            Self::TooManyRows => 413,
            Self::UnknownTable | Self::UnknownRow => 404,
            Self::PushOvertaken | Self::FeedMoved => 409,
            Self::CursorTooOld | Self::EpochChanged | Self::CursorAhead => 410,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}
