//! The tasks that find out what has moved, and tell it. They run from the first listener on.

use std::{sync::Arc, time::Duration};

use sync_core::server::SyncServer;
use tokio::time;

use super::{Shared, postgres, sqlite};
use crate::task::detached;

/// Before what failed is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(super) fn start(shared: &Arc<Shared>, sync: &SyncServer) {
    tokio::spawn(tell(shared.clone(), sync.clone()));
    tokio::spawn(absorb(shared.clone(), sync.clone()));
    if shared.is_postgres() {
        tokio::spawn(postgres::listen(shared.clone()));
    } else {
        tokio::spawn(sqlite::watch(shared.clone()));
    }
}

/// Tells where the feeds end that may have moved: of those that move together, by one question.
async fn tell(shared: Arc<Shared>, sync: SyncServer) {
    let listeners = &shared.listeners;
    loop {
        tokio::select! {
            () = shared.ended() => return,
            () = listeners.moved.notified() => {}
            () = time::sleep(shared.timing.poll) => listeners.all_moved(),
        }
        let moved = listeners.take_moved();
        if moved.is_empty() {
            continue;
        }
        let sync = sync.clone();
        match detached(async move { Ok(sync.feed_ends(&moved).await?) }).await {
            Ok(ends) => listeners.tell(ends),
            Err(error) => {
                tracing::warn!(%error, source = ?error, "cannot tell where feeds end");
                if shared.ended_within(AFTER_FAILURE).await {
                    return;
                }
                listeners.all_moved();
            }
        }
    }
}

/// Absorbs what was edited in the server's own database, so that it is in the feed before it is told.
async fn absorb(shared: Arc<Shared>, sync: SyncServer) {
    let listeners = &shared.listeners;
    loop {
        tokio::select! {
            () = shared.ended() => return,
            () = listeners.edited.notified() => {}
            () = time::sleep(shared.timing.poll) => {}
        }
        if listeners.is_empty() {
            continue;
        }
        let (sync, wanted) = (sync.clone(), listeners.clone());
        let absorbed =
            detached(async move { Ok(sync.absorb_those(&|user_id| wanted.has(user_id)).await?) });
        if let Err(error) = absorbed.await {
            tracing::warn!(%error, source = ?error, "cannot absorb what was edited; tried again soon");
            if shared.ended_within(AFTER_FAILURE).await {
                return;
            }
        }
    }
}
