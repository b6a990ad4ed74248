//! Settings that several profiles can share.

use super::synced;
use crate::column::{Fill, boolean, id, integer, text, time};
use crate::table::Table;

pub(super) const SETTINGS_PROFILES: Table = synced(
    "settings_profiles",
    &[
        id(),
        text("user_id").required().within("user"),
        text("name").required(),
        boolean("is_default"),
        time("created_at"),
        text("tmdb_catalog_config"),
    ],
);

/// Belongs to a settings profile, or in old rows to a profile.
pub(super) const STREAM_SETTINGS: Table = synced(
    "stream_settings",
    &[
        id(),
        integer("profile_id").within("profiles"),
        integer("settings_profile_id").within("settings_profiles"),
        text("qualities"),
        text("preferred_keywords"),
        text("required_keywords"),
        text("config"),
    ],
);

pub(super) const APPEARANCE_SETTINGS: Table = synced(
    "appearance_settings",
    &[
        id(),
        integer("settings_profile_id").within("settings_profiles"),
        boolean("show_imdb_ratings").or(Fill::Bool(true)),
        boolean("show_age_ratings").or(Fill::Bool(true)),
    ],
);
