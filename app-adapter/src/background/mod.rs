//! The background job: syncs by itself, at the right times, for as long as the app runs.
//!
//! [`schedule`] decides when, `driver` does it, [`CloudSync`] is what an app holds.

mod driver;
mod handle;
mod listen;
mod look;
mod policy;
mod schedule;
mod status;
mod timer;

pub(crate) use driver::needs_choice;
pub use handle::CloudSync;
pub use policy::Policy;
pub use schedule::Trigger;
pub use status::{Activity, Change, Event, Problem, SyncStatus};
pub use timer::{SystemTimer, Timer};
