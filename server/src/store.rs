//! Every statement on the tables that only the server knows: accounts, sessions, devices, settings.
//!
//! Synced tables are the sync engine's; nothing here touches them.

#![expect(
    unreachable_pub,
    reason = "what SeaORM derives from these types is public"
)]

pub(crate) mod account;
pub(crate) mod login_limit;
pub(crate) mod login_place;
pub(crate) mod session;
pub(crate) mod setting;
pub(crate) mod sync_device;
pub(crate) mod user;
