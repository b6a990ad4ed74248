//! Zentrio's tables as they are since its third generation.
//!
//! The migrations of November 2026 are made of these descriptions, and so they never change: a
//! column that comes later is one more migration that names it.

mod account;
mod library;
mod limits;
mod login;
mod profile;
mod settings;

use crate::column::{Column, Fill, boolean, text, time};
use crate::table::Table;

/// Tables of every Zentrio database; those that are referred to come first.
pub(crate) const ZENTRIO: [Table; 10] = [
    account::USER,
    account::ADDONS,
    settings::SETTINGS_PROFILES,
    profile::PROFILES,
    profile::PROFILE_ADDONS,
    settings::STREAM_SETTINGS,
    settings::APPEARANCE_SETTINGS,
    library::WATCH_HISTORY,
    library::LISTS,
    library::LIST_ITEMS,
];

/// Tables that only a server has.
pub(crate) const LOGIN: [Table; 3] = [login::SESSION, login::ACCOUNT, login::SYNC_DEVICE];

/// Tables that only a server has, since there are limits to guessing passwords.
pub(crate) const LIMITS: [Table; 3] = [
    limits::LOGIN_LIMIT,
    limits::LOGIN_PLACE,
    limits::SERVER_SETTING,
];

/// What every synced table ends with.
const SYNC: &[Column] = &[
    time("updated_at").or(Fill::Now),
    text("remote_id"),
    boolean("dirty").or(Fill::Bool(false)),
    time("deleted_at"),
];

/// A synced table. It has no UNIQUE constraint: a key need be free among live rows only, and the
/// indexes for that are made from the entity, not here.
const fn synced(name: &'static str, columns: &'static [Column]) -> Table {
    Table::new(name, columns).and(SYNC)
}
