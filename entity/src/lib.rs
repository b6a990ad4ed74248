//! The tables of a Zentrio database, one struct each, for a device and for the server alike.
//!
//! How a table syncs stands in `#[sync(..)]` right at the columns it concerns; what a foreign key
//! does when its target goes stands in its relation, as in the migration. There are no queries and
//! no rules here.
//!
//! A column is an `Option` wherever a database in the field may hold NULL, and that includes most
//! of those with a default. Columns that hold JSON are text: the application writes them, so they
//! may hold anything.
#![expect(
    missing_docs,
    reason = "a column is named after what it holds; what its name does not tell is documented"
)]

// Where an account's data begins.
pub mod profile;
pub mod settings_profile;

// What they are set to.
pub mod appearance_setting;
pub mod profile_addon;
pub mod stream_setting;

// What a profile collects.
pub mod list;
pub mod list_item;
pub mod watch_history;

// What synced rows refer to.
pub mod addon;
pub mod user;

// What sync keeps.
pub mod sync_state;

/// The synced tables, as an engine on either end needs them.
///
/// # Errors
/// When the attributes of an entity contradict each other, so never in a program whose tests ran.
pub fn registry() -> Result<sync_core::Registry, sync_core::RegistryError> {
    builder().build()
}

/// The synced tables, for a program that adds tables of its own.
pub fn builder() -> sync_core::RegistryBuilder {
    sync_core::Registry::builder()
        .table::<settings_profile::Entity>()
        .table::<profile::Entity>()
        .table::<profile_addon::Entity>()
        .table::<stream_setting::Entity>()
        .table::<appearance_setting::Entity>()
        .table::<watch_history::Entity>()
        .table::<list::Entity>()
        .table::<list_item::Entity>()
}
