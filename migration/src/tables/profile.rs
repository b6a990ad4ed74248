//! The people behind an account, and the addons each has.

use super::synced;
use crate::column::{Fill, boolean, id, integer, text, time};
use crate::table::Table;

pub(super) const PROFILES: Table = synced(
    "profiles",
    &[
        id(),
        text("user_id").required().within("user"),
        text("name").required(),
        text("avatar").required(),
        text("avatar_type").or(Fill::Text("initials")),
        text("avatar_style").or(Fill::Text("bottts-neutral")),
        boolean("is_default"),
        integer("settings_profile_id").naming("settings_profiles"),
        time("created_at"),
    ],
);

/// Belongs to a settings profile, or in old rows to a profile.
pub(super) const PROFILE_ADDONS: Table = synced(
    "profile_addons",
    &[
        id(),
        integer("profile_id").within("profiles"),
        integer("settings_profile_id").within("settings_profiles"),
        integer("addon_id").required().within("addons"),
        boolean("enabled").or(Fill::Bool(true)),
        integer("priority").or(Fill::Integer(0)),
        time("created_at"),
    ],
);
