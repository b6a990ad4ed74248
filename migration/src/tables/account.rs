//! Who uses the database, and the catalogue of addons that all of them share.

use crate::column::{boolean, id, text, time};
use crate::table::Table;

/// Better Auth's, hence the names of its columns.
pub(super) const USER: Table = Table::new(
    "user",
    &[
        text("id").key(),
        text("email").required().unique(),
        text("name").required(),
        boolean("emailVerified").required(),
        text("image"),
        time("createdAt").required(),
        time("updatedAt").required(),
        text("username"),
        text("role"),
        boolean("banned"),
        text("banReason"),
        time("banExpires"),
    ],
);

pub(super) const ADDONS: Table = Table::new(
    "addons",
    &[
        id(),
        text("manifest_url").required().unique(),
        text("name").required(),
        text("version"),
        text("description"),
        text("logo"),
        text("logo_url"),
        text("behavior_hints"),
        time("created_at"),
    ],
);
