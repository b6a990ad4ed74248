//! The server's side: devices push into the change feed, and pull from it.
//!
//! Holds nothing in memory that a second server process on the same database would need.

mod absorb;
mod absorb_account;
mod absorb_parents;
mod account;
mod age;
mod answer;
mod by_name;
mod cascade;
mod compare;
mod cursor;
mod decide;
mod error;
mod exclusive;
mod explain;
mod feed;
mod garbage;
mod incoming;
mod merge_rows;
mod page;
mod pull;
mod push;
mod queue;
mod quota;
mod remove;
mod resolve;
mod revive;
mod taken_key;
pub(crate) mod twin;
mod unseen;
mod unsuitable;
mod usage;
mod watch;
mod write_rows;

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbErr};

pub use error::ServerError;
pub use garbage::{Garbage, GoOn};
pub use pull::PullQuery;
pub use usage::{AccountUsage, TableUsage};
pub use watch::{FeedEnd, OnMoved};

pub(crate) use feed::Entry;
pub(crate) use page::PageRow;
pub(crate) use push::PushContext;
pub(crate) use taken_key::text_key;

use crate::{
    clock::Clock,
    ids::Ids,
    protocol::{ErrorCode, Info, Limits, PROTOCOL_VERSION, ServerSchema},
    registry::Registry,
    retry::retry,
    schema::{self, Side},
};

/// A server's databases.
///
/// On SQLite `write` is a pool of exactly one connection and `read` a pool of read-only ones; on
/// Postgres both are the same pool.
#[derive(Clone, Debug)]
pub struct ServerDb {
    /// For transactions that write.
    pub write: DatabaseConnection,
    /// For transactions that only read.
    pub read: DatabaseConnection,
}

/// Both on one pool.
impl From<DatabaseConnection> for ServerDb {
    fn from(db: DatabaseConnection) -> Self {
        Self {
            write: db.clone(),
            read: db,
        }
    }
}

/// Who is asking. The caller of the engine has checked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account: the value of the owner columns of its rows.
    pub user_id: String,
    /// The server's number of the device, above 0.
    pub device: i64,
}

/// The engine behind the sync endpoints. Cheap to clone.
///
/// A future of it must be run to its end: see `seaorm` notes on cancelled transactions; spawn it.
#[derive(Clone)]
pub struct SyncServer {
    pub(crate) db: ServerDb,
    pub(crate) registry: Registry,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) limits: Limits,
    schema: Arc<ServerSchema>,
    on_moved: Option<OnMoved>,
    queues: Arc<queue::Queues>,
}

impl SyncServer {
    /// An engine on these databases, for these tables.
    pub fn new(
        db: impl Into<ServerDb>,
        registry: Registry,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        let schema = Arc::new(ServerSchema::of(&registry));
        Self {
            schema,
            db: db.into(),
            registry,
            clock,
            ids,
            limits: Limits::default(),
            on_moved: None,
            queues: Arc::default(),
        }
    }

    /// The same engine with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What it syncs.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// # Errors
    /// If the device speaks another protocol.
    fn speaks(&self, protocol: u32) -> Result<(), ServerError> {
        if protocol == PROTOCOL_VERSION {
            return Ok(());
        }
        let message =
            format!("this server speaks protocol {PROTOCOL_VERSION}; update the app or the server");
        Err(ServerError::refused(
            ErrorCode::UnsupportedProtocol,
            message,
        ))
    }

    /// Creates the framework's tables and capture, and the epoch of a new database.
    ///
    /// # Errors
    /// If the tables are not there yet, or the database fails.
    pub async fn install(&self) -> Result<(), DbErr> {
        schema::install(&self.db.write, Side::Server, &self.registry).await?;
        let epoch = self.ids.next();
        retry(|| account::create_epoch(&self.db.write, &epoch)).await
    }

    /// The life of the server's data.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn epoch(&self) -> Result<String, ServerError> {
        Ok(retry(|| account::epoch(&self.db.read)).await?)
    }

    /// Begins a new life of the server's data, such as after it was put back to a backup: no device goes on
    /// before somebody has said whose rows are right. Returns its name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn begin_epoch(&self) -> Result<String, ServerError> {
        let epoch = self.ids.next();
        retry(|| account::set_epoch(&self.db.write, &epoch)).await?;
        Ok(epoch)
    }

    /// What a device may want to know before it syncs.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn info(&self) -> Result<Info, ServerError> {
        Ok(Info {
            protocols: vec![PROTOCOL_VERSION],
            now: self.clock.now_ms(),
            epoch: self.epoch().await?,
            limits: self.limits,
        })
    }
}
