//! What a server remembers of attempts to log in, and what it made up for itself.

use crate::column::{integer, text};
use crate::table::Table;

/// `due_ms` is when the attempts that were made have been paid for by waiting.
pub(super) const LOGIN_LIMIT: Table = Table::new(
    "login_limit",
    &[text("key").key(), integer("due_ms").required()],
);

/// From where a user has logged in; `key` does not tell the address.
pub(super) const LOGIN_PLACE: Table = Table::new(
    "login_place",
    &[
        text("key").key(),
        text("user_id").required().within("user"),
        integer("seen_ms").required(),
    ],
);

/// What the server must find again, such as a secret that nobody configured.
pub(super) const SERVER_SETTING: Table = Table::new(
    "server_setting",
    &[text("key").key(), text("value").required()],
);
