//! The app's side of Zentrio Sync: the local database, the login at a server, and the command line.
//!
//! [`CloudSync`] is the one handle for an app: it syncs in the background and tells how things stand.
//! [`Adapter`] is the same database without a background job, for programs that run once. What syncs is
//! `sync-core`'s engine, what is synced stands in `entity`.

mod account;
mod adapter;
mod adoption;
mod background;
mod before_sync;
pub mod cli;
mod copy;
mod database;
mod devices;
mod error;
mod key_file;
mod key_store;
mod keyring;
mod log;
mod login;
mod network;
mod page;
mod people;
mod planned;
mod reporter;
mod seal;
mod server_url;
mod soundness;
mod standing;
#[cfg(test)]
mod testing;

pub use account::LocalUser;
pub use adapter::{
    Adapter, Connect, Connected, Disconnected, Environment, Grant, LocalData, OtherAccount,
    Prepared, Preview,
};
pub use background::{
    Activity, Change, CloudSync, Event, Policy, Problem, SyncStatus, SystemTimer, Timer, Trigger,
};
pub use devices::Devices;
pub use error::{AdapterError, FileProblem};
pub use keyring::{Keyring, KeyringError, SystemKeyring};
pub use log::SyncLog;
pub use login::Password;
pub use network::{Hints, Http, Network};
pub use page::{Page, PageOptions};
pub use people::RowName;
pub use server_url::{DEFAULT_SERVER, ServerUrl};
pub use standing::{Overview, Standing};
