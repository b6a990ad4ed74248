//! What a profile has watched, and the lists it keeps.

use super::synced;
use crate::column::{Fill, boolean, id, integer, real, text, time};
use crate::table::Table;

/// A film has -1 for season and episode. Position and duration are seconds.
pub(super) const WATCH_HISTORY: Table = synced(
    "watch_history",
    &[
        id(),
        integer("profile_id").required().within("profiles"),
        text("meta_id").required(),
        text("meta_type").required(),
        integer("season").required().or(Fill::Integer(-1)),
        integer("episode").required().or(Fill::Integer(-1)),
        text("episode_id"),
        text("title"),
        text("poster"),
        integer("duration"),
        integer("position"),
        boolean("is_watched"),
        time("watched_at"),
        text("last_stream"),
    ],
);

pub(super) const LISTS: Table = synced(
    "lists",
    &[
        id(),
        integer("profile_id").required().within("profiles"),
        text("name").required(),
        boolean("is_default"),
        time("created_at"),
    ],
);

pub(super) const LIST_ITEMS: Table = synced(
    "list_items",
    &[
        id(),
        integer("list_id").required().within("lists"),
        text("meta_id").required(),
        text("type").required(),
        text("title"),
        text("poster"),
        real("imdb_rating"),
        time("created_at"),
    ],
);
