//! The device's side: local changes are pushed, others' are pulled, over whatever network there is.

mod apply;
mod apply_rows;
mod apply_tree;
mod bury;
mod collect;
mod conflict;
mod damage;
mod discard;
mod doctor;
mod drift;
mod explain;
mod here;
mod kept;
mod outgoing;
mod pages;
mod parked;
mod pull;
mod push;
mod quarantine;
mod refetch;
mod rehearse;
pub(crate) mod remote;
mod rename;
mod replace;
mod resend;
mod restart;
mod retry;
mod row_id;
mod settle;
mod state;
mod status;
mod switch;
mod sync;
mod undone;

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbErr};

pub use discard::{DiscardOutcome, Discarded};
pub use doctor::{Diagnosis, Finding, FindingKind, TableCompared};
pub use explain::{
    Explanation, GaveWay, Outlook, PendingEdit, RegisterNow, RowState, ServerSide, SetAt,
};
pub use parked::ParkedAccount;
pub use rehearse::{Clash, ClashingRegister, Plan, PlannedTable};
pub use restart::Restart;
pub use retry::Retried;
pub use row_id::RowId;
pub use state::{Connection, State};
pub use status::{PendingTable, QuarantinedRow, RejectedRow, Status};
pub use switch::LocalRows;
pub use sync::Observer;

pub(crate) use apply::{Applied, ApplyContext};
pub(crate) use drift::Withheld;
pub(crate) use outgoing::{Outgoing, Wanted};

use crate::{
    clock::Clock,
    ids::Ids,
    protocol::Limits,
    registry::Registry,
    schema::{self, Side},
};

/// One local database and what it takes to sync it. Cheap to clone.
#[derive(Clone)]
pub struct Device {
    pub(crate) db: DatabaseConnection,
    pub(crate) registry: Registry,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) limits: BatchLimits,
    /// Names this opened database as the holder of its lease.
    holder: String,
    /// Held while a sync runs here. A sync that is dropped lets it go, and the next takes over its lease.
    running: Arc<tokio::sync::Mutex<()>>,
}

/// How much goes over the wire at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most rows of a push.
    pub push_rows: usize,
    /// Most bytes of a push, beyond its first row.
    pub push_bytes: usize,
    /// Most bytes of one row.
    pub row_bytes: usize,
    /// Most rows of a page.
    pub page_rows: u32,
}

impl BatchLimits {
    /// These, and no more than a server takes.
    fn within(self, server: &Limits) -> Self {
        Self {
            push_rows: self.push_rows.min(server.push_rows),
            // A body has more than its rows.
            push_bytes: self.push_bytes.min(server.body_bytes / 2),
            row_bytes: self.row_bytes.min(server.row_bytes),
            page_rows: self.page_rows.min(server.page_rows),
        }
    }
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            push_rows: 1_000,
            push_bytes: 2 << 20,
            row_bytes: Limits::default().row_bytes,
            page_rows: 1_000,
        }
    }
}

impl Device {
    /// Opens a local database whose migrations have run: installs what sync needs where it is missing.
    ///
    /// `db` is a SQLite pool of exactly one connection.
    ///
    /// # Errors
    /// If a registered table is missing, or the database fails.
    pub async fn open(
        db: DatabaseConnection,
        registry: Registry,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, DbErr> {
        schema::install(&db, Side::Device, &registry).await?;
        Ok(Self::installed(db, registry, clock, ids))
    }

    /// The same for a database in which everything is installed.
    pub(crate) fn installed(
        db: DatabaseConnection,
        registry: Registry,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        let holder = ids.next();
        Self {
            db,
            registry,
            clock,
            ids,
            limits: BatchLimits::default(),
            holder,
            running: Arc::default(),
        }
    }

    /// The same device with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: BatchLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The same on a copy of the database, in which everything is installed.
    #[must_use]
    pub fn on(&self, copy: DatabaseConnection) -> Self {
        let (registry, clock, ids) = (self.registry.clone(), self.clock.clone(), self.ids.clone());
        Self::installed(copy, registry, clock, ids).with_limits(self.limits)
    }

    /// The local database.
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }
}
