//! Listens to the server for hints that there is something new. All that is lost without is time.

use std::time::Duration;

use sync_core::{SyncError, protocol::FeedHint};
use tokio::sync::{mpsc, watch};

use super::{driver::Command, status::SyncStatus};
use crate::{Adapter, AdapterError, Standing};

/// Listens whenever the database is connected, until the job is gone.
pub(super) async fn listen(
    adapter: Adapter,
    mut status: watch::Receiver<SyncStatus>,
    orders: mpsc::WeakUnboundedSender<Command>,
) {
    let mut failures = 0;
    while status.wait_for(is_welcome).await.is_ok() {
        let ended = tokio::select! {
            ended = pass_on(&adapter, &orders, &mut failures) => ended,
            // Nobody listens with a login that is given up.
            left = gone(status.clone()) => if left { Ok(()) } else { return },
        };
        let wait = wait(&adapter, &ended, &mut failures);
        let syncs = status.borrow_and_update().n_syncs;
        tokio::select! {
            () = adapter.timer().sleep(wait) => {}
            // Where a sync came through, this does.
            _ = status.wait_for(|status| status.n_syncs != syncs && !status.is_offline && status.problem.is_none()) => {}
        }
    }
}

/// Whether there is a login to listen with.
fn is_welcome(status: &SyncStatus) -> bool {
    !matches!(
        status.overview.state,
        Standing::NotConnected | Standing::LoginNeeded
    )
}

/// Waits until there is none, or none to tell.
async fn gone(mut status: watch::Receiver<SyncStatus>) -> bool {
    status.wait_for(|status| !is_welcome(status)).await.is_ok()
}

async fn pass_on(
    adapter: &Adapter,
    orders: &mpsc::WeakUnboundedSender<Command>,
    failures: &mut u32,
) -> Result<(), AdapterError> {
    let Some(mut hints) = adapter.hints().await? else {
        // This network brings none.
        return std::future::pending().await;
    };
    while let Some(FeedHint { head }) = hints.next().await? {
        *failures = 0;
        let Some(orders) = orders.upgrade() else {
            return Ok(());
        };
        let _ = orders.send(Command::Hint(head));
    }
    Ok(())
}

/// How long to wait before listening again.
fn wait(adapter: &Adapter, ended: &Result<(), AdapterError>, failures: &mut u32) -> Duration {
    let policy = adapter.policy();
    *failures += 1;
    let (asked, is_old) = match ended {
        Err(AdapterError::Sync(SyncError::Refused {
            status,
            retry_after,
            ..
        })) => (*retry_after, matches!(status, 404 | 405)),
        _ => (None, false),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "not listening to the server");
    }
    if is_old {
        return policy.longest_wait;
    }
    policy.wait(*failures, asked, rand::random())
}
