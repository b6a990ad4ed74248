//! Telling devices that listen that their feed has moved.
//!
//! What they are told is a hint, and everything here may lose one: nothing in it would be missed by another
//! server process. Hints come from this process' own pushes, from other processes by Postgres' NOTIFY or by
//! a look at SQLite's file, from edits by SQL the same ways, and where all of that fails from a slow poll.

mod listeners;
mod postgres;
mod relay;
mod sqlite;
mod stream;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{DatabaseConnection, DbBackend};
use sync_core::server::{OnMoved, ServerDb, SyncServer};
use tokio::sync::watch;

use crate::Config;

pub(crate) use self::{listeners::Full, stream::hints};
use self::{
    listeners::{Listeners, Listening},
    postgres::Outbox,
};

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub struct EventTiming {
    /// Between two signs of life on a silent stream; each looks whether the token still is good.
    pub heartbeat: Duration,
    /// Between two looks at all that is listened to, should hints have been lost.
    pub poll: Duration,
    /// Between two looks at SQLite's file.
    pub probe: Duration,
    /// Before the connection for Postgres' hints is opened again.
    pub reconnect: Duration,
}

impl Default for EventTiming {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(20),
            poll: Duration::from_secs(5),
            probe: Duration::from_millis(200),
            reconnect: Duration::from_secs(1),
        }
    }
}

/// The process' part in telling. Cheap to clone; ends with the last of its clones.
#[derive(Clone)]
pub(crate) struct Events {
    shared: Arc<Shared>,
    _ends: Arc<Ends>,
}

/// What the streams and the tasks have in common.
struct Shared {
    listeners: Arc<Listeners>,
    outbox: Outbox,
    url: String,
    db: DatabaseConnection,
    timing: EventTiming,
    relaying: AtomicBool,
    ended: watch::Sender<bool>,
}

/// Ends the tasks when nobody is left who could listen.
struct Ends(Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.ended.send_replace(true);
    }
}

impl Events {
    pub(crate) fn new(config: &Config, db: &ServerDb) -> Self {
        let most = config.connections.most / 4 * 3;
        let shared = Arc::new(Shared {
            // The others are for pushes and pulls.
            listeners: Arc::new(Listeners::new(most)),
            outbox: Outbox::default(),
            url: config.database_url.clone(),
            db: db.write.clone(),
            timing: config.event_timing,
            relaying: AtomicBool::new(false),
            ended: watch::channel(false).0,
        });
        Self {
            _ends: Arc::new(Ends(shared.clone())),
            shared,
        }
    }

    /// What the sync engine calls when it has moved a feed.
    pub(crate) fn on_moved(&self) -> OnMoved {
        let shared = self.shared.clone();
        Arc::new(move |user_id, account| {
            shared.listeners.moved(user_id);
            if shared.is_postgres() {
                postgres::tell_others(&shared, account);
            }
        })
    }

    /// Begins to listen to an account's feed.
    fn listen(&self, sync: &SyncServer, user_id: &str) -> Result<Listening, Full> {
        let listening = self.shared.listeners.listen(user_id)?;
        if !self.shared.relaying.swap(true, Ordering::Relaxed) {
            relay::start(&self.shared, sync);
        }
        Ok(listening)
    }

    /// Looks at once whether the tokens of the account's streams still are good.
    pub(crate) fn recheck(&self, user_id: &str) {
        self.shared.listeners.recheck(user_id);
    }

    /// Ends all streams when this is told, or when who tells it is gone.
    pub(crate) fn end_when(&self, mut stopped: watch::Receiver<bool>) {
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
            shared.ended.send_replace(true);
        });
    }
}

impl Shared {
    fn is_postgres(&self) -> bool {
        self.db.get_database_backend() == DbBackend::Postgres
    }

    /// Waits until everything is to end.
    async fn ended(&self) {
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Waits; whether everything is to end.
    async fn ended_within(&self, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.ended()).await.is_ok()
    }
}
