#![doc = include_str!("../README.md")]

extern crate self as sync_core;

mod bulk;
mod checksum;
#[cfg(feature = "client")]
mod compress;
mod db_error;
mod extremum;
mod fact;
pub mod merge;
mod owner;
#[doc(hidden)]
pub mod planted;
mod row_now;
mod rows;
mod table;
mod unreadable;

pub mod backoff;
pub mod clock;
pub mod clocks;
pub mod device;
pub mod error;
pub mod event;
#[cfg(feature = "client")]
pub mod http_transport;
pub mod ids;
pub mod lookup;
pub mod model;
pub mod protocol;
pub mod refs;
pub mod registry;
pub mod retry;
pub mod schema;
pub mod server;
pub mod shape;
#[cfg(feature = "client")]
pub mod sse;
pub mod syncable;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;
pub mod tx;
pub mod wire;

pub use clock::{Clock, ManualClock, SystemClock};
pub use device::Device;
pub use error::SyncError;
pub use event::{SyncEvent, SyncReport};
pub use fact::Fact;
pub use ids::{CountedIds, Ids, UuidV7};
pub use model::{PendingChange, SyncEntity, SyncModel};
pub use registry::{Registry, RegistryBuilder, RegistryError};
pub use shape::{Exclusive, Lookup, Reference, Register, Rule, Shape};
pub use sync_core_derive::Syncable;
pub use syncable::{FieldError, FieldErrorCode, Meta, Syncable};
pub use transport::{Transport, TransportError};
pub use wire::{Field, LookupRow, Millis, WireRow, WireValue};

/// What derived code refers to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use async_trait;
    pub use sea_orm;
    pub use serde;
    pub use serde_json;

    pub use crate::{
        extremum::{by_function, greatest, least},
        lookup::{LookupBy, LookupTable},
        refs::{LocalIds, RemoteNames},
        shape::*,
        syncable::*,
        wire::*,
    };
}
