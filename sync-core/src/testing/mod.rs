//! A simulation of several devices and a server, for entities of your own: random edits, a network that
//! fails in every way, programs that end anywhere, and oracles that look at what came of it.
//!
//! Behind the feature `testing`, for `[dev-dependencies]` only. What there is to edit is read from the
//! registry and from SeaORM's column types:
//!
//! ```
//! use sea_orm::{ConnectionTrait, DbErr, Schema, entity::prelude::*};
//! use sync_core::{Registry, Syncable, testing::Simulation};
//!
//! mod note {
//!     use sea_orm::entity::prelude::*;
//!     use sync_core::Syncable;
//!
//!     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
//!     #[sea_orm(table_name = "notes")]
//!     #[sync(natural_key(user_id, title))]
//!     pub struct Model {
//!         #[sea_orm(primary_key)]
//!         pub id: i64,
//!         #[sync(owner)]
//!         pub user_id: String,
//!         pub title: String,
//!         pub text: Option<String>,
//!         pub remote_id: Option<String>,
//!         pub dirty: bool,
//!         pub updated_at: Option<DateTimeUtc>,
//!         pub deleted_at: Option<DateTimeUtc>,
//!     }
//!
//!     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
//!     pub enum Relation {}
//! }
//!
//! # fn main() -> Result<(), sync_core::testing::Failure> {
//! let report = Simulation::new(|| Registry::builder().table::<note::Entity>().build())
//!     .schema(async |db, _side| {
//!         let schema = Schema::new(db.get_database_backend());
//!         db.execute(&schema.create_table_from_entity(note::Entity)).await?;
//!         Ok::<_, DbErr>(())
//!     })
//!     .seeds(1..=3)
//!     .run()?;
//! assert_eq!(report.seeds, 3);
//! # Ok(()) }
//! ```
//!
//! All chance comes from the seed, time from clocks that are put, ids from counters; one task drives the real
//! engines on real databases. So the same seed is the same run, and a [`Failure`] can be replayed: it is
//! shortened to the few things that have to happen for it.

mod bench;
mod describe;
mod desk;
mod device;
mod dump;
mod dumps;
mod edits;
pub(crate) mod entity;
mod failure;
mod hooks;
mod laws;
mod ledger;
mod network;
mod options;
mod oracles;
mod plan;
mod refused;
mod rng;
mod run;
mod server;
mod setup;
mod shrink;
mod simulation;
mod stop;
mod tables;
mod template;
mod trace;
mod world;
mod writing;

pub use self::{
    edits::{Editor, Edits, UserEdit},
    failure::{Failure, Report},
    hooks::BoxError,
    options::Options,
    server::{InProcess, Server, ServerSetup, Servers},
    simulation::Simulation,
};
