//! Hints from and to other processes on the same Postgres.
//!
//! What moved a feed is told after its transaction, and in one statement for all that moved meanwhile:
//! inside of it, NOTIFY would make all transactions of the database end one after the other.

use std::{
    collections::BTreeSet,
    mem,
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sync_core::schema::PENDING_CHANNEL;
use tokio::sync::Notify;

use super::Shared;
use crate::task::detached;

/// The channel on which the number of an account is told whose feed has moved.
const MOVED_CHANNEL: &str = "sync_moved";

/// Accounts whose move the other processes have not been told of.
#[derive(Default)]
pub(super) struct Outbox {
    accounts: Mutex<BTreeSet<i64>>,
    filled: Notify,
    sending: AtomicBool,
}

/// Has the other processes told that the account's feed has moved.
pub(super) fn tell_others(shared: &Arc<Shared>, account: i64) {
    shared.outbox.put(account);
    if !shared.outbox.sending.swap(true, Ordering::Relaxed) {
        tokio::spawn(send(shared.clone()));
    }
}

impl Outbox {
    fn put(&self, account: i64) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.insert(account);
        self.filled.notify_one();
    }

    fn take(&self) -> BTreeSet<i64> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut *accounts)
    }
}

async fn send(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            biased;
            () = shared.outbox.filled.notified() => {}
            () = shared.ended() => return,
        }
        let accounts = shared.outbox.take();
        if accounts.is_empty() {
            continue;
        }
        let db = shared.db.clone();
        if let Err(error) = detached(async move { Ok(notify(&db, &accounts).await?) }).await {
            // Not every engine that speaks Postgres' language has it.
            tracing::debug!(%error, source = ?error, "cannot tell other processes; they will see it");
        }
    }
}

async fn notify(db: &DatabaseConnection, accounts: &BTreeSet<i64>) -> Result<(), DbErr> {
    let numbers: Vec<String> = accounts.iter().map(i64::to_string).collect();
    let sql = format!(
        "SELECT pg_notify('{MOVED_CHANNEL}', n::text) FROM unnest(ARRAY[{}]::bigint[]) n",
        numbers.join(",")
    );
    db.execute_unprepared(&sql).await.map(|_| ())
}

/// Listens on a connection of its own, which is opened again whenever it is lost.
pub(super) async fn listen(shared: Arc<Shared>) {
    let mut failures = 0_u32;
    loop {
        let listened = tokio::select! {
            () = shared.ended() => return,
            listened = listen_once(&shared) => listened,
        };
        failures = match &listened {
            Ok(()) => 0,
            Err(_) => failures.saturating_add(1),
        };
        if let (Err(error), 1) = (listened, failures) {
            tracing::warn!(%error, "no hints from Postgres; the database is looked at every few seconds");
        }
        let wait = shared.timing.reconnect * failures.clamp(1, 60);
        if shared.ended_within(wait).await {
            return;
        }
    }
}

/// Listens until the connection is lost.
async fn listen_once(shared: &Shared) -> Result<(), sqlx::Error> {
    let options =
        PgConnectOptions::from_str(&shared.url)?.application_name("zentrio-server events");
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(options)
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener
        .listen_all([MOVED_CHANNEL, PENDING_CHANNEL])
        .await?;
    tracing::debug!("listening to Postgres");
    // What was told before, nobody has heard.
    shared.listeners.all_moved();
    shared.listeners.edited();
    while let Some(hint) = listener.try_recv().await? {
        match (hint.channel(), hint.payload().parse()) {
            (MOVED_CHANNEL, Ok(account)) => shared.listeners.moved_number(account),
            (MOVED_CHANNEL, Err(_)) => shared.listeners.all_moved(),
            _ => shared.listeners.edited(),
        }
    }
    Ok(())
}
