//! Better Auth's sessions and passwords, and the devices that may sync.

use crate::column::{Fill, id, text, time};
use crate::table::Table;

pub(super) const SESSION: Table = Table::new(
    "session",
    &[
        text("id").key(),
        time("expiresAt").required(),
        text("token").required().unique(),
        time("createdAt").required(),
        time("updatedAt").required(),
        text("ipAddress"),
        text("userAgent"),
        text("userId").required().within("user"),
    ],
);

/// One way to log in to a user; a password is the one with provider `credential`.
pub(super) const ACCOUNT: Table = Table::new(
    "account",
    &[
        text("id").key(),
        text("accountId").required(),
        text("providerId").required(),
        text("userId").required().within("user"),
        text("accessToken"),
        text("refreshToken"),
        text("idToken"),
        time("accessTokenExpiresAt"),
        time("refreshTokenExpiresAt"),
        text("scope"),
        text("password"),
        time("createdAt").required(),
        time("updatedAt").required(),
    ],
);

/// A device's permission to sync. `device_id` is what the device calls itself.
pub(super) const SYNC_DEVICE: Table = Table::new(
    "sync_device",
    &[
        id(),
        text("user_id").required().within("user"),
        text("device_id"),
        text("name"),
        text("token_hash").required().unique(),
        text("scope").required().or(Fill::Text("sync")),
        time("created_at").required(),
        time("last_seen_at"),
        time("expires_at").required(),
        time("revoked_at"),
    ],
);
