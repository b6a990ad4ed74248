//! The daily collection of tombstones and of logins that have ended: it survives what fails in it, and
//! ends with the server.

pub(crate) mod logins;

use std::time::Duration;

use sync_core::server::Garbage;
use tokio::{sync::watch, time};

use crate::{AppState, Error, task::detached};

/// When it is collected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// How long after the start.
    pub(crate) first: Duration,
    /// How long after the last time.
    pub(crate) every: Duration,
}

impl Schedule {
    /// Once a day. Servers that start together do not begin together, nor does it meet the first rush.
    pub(crate) fn daily() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            first: minute + minute.mul_f64(rand::random_range(0.0..9.0)),
            every: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// Collects again and again until the server stops. Where tombstones are kept for ever, only how old
/// everything is will be known, should it be wanted later.
pub(crate) async fn collect_for_ever(
    state: AppState,
    schedule: Schedule,
    mut stop: watch::Receiver<bool>,
) {
    let mut wait = schedule.first;
    while !is_stopped(&mut stop, wait).await {
        wait = schedule.every;
        forget_logins(&state).await;
        let (state, stopped) = (state.clone(), stop.clone());
        let collecting = tokio::spawn(async move { collect(&state, &stopped).await });
        // A panic ends up here, too.
        match collecting
            .await
            .map_err(Error::from)
            .and_then(|ended| ended)
        {
            Ok(Garbage {
                n_accounts,
                n_tombstones,
                ..
            }) if n_tombstones > 0 => {
                tracing::info!(n_accounts, n_tombstones, "forgot old tombstones");
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, source = ?error, "cannot forget old tombstones; tried again in a day");
            }
        }
    }
}

async fn forget_logins(state: &AppState) {
    let of_task = state.clone();
    if let Err(error) = detached(async move { logins::forget(&of_task).await }).await {
        tracing::error!(%error, source = ?error, "cannot forget old logins; tried again in a day");
    }
}

async fn collect(state: &AppState, stopped: &watch::Receiver<bool>) -> Result<Garbage, Error> {
    let stopped = stopped.clone();
    let go_on = move || !*stopped.borrow() && stopped.has_changed().is_ok();
    match state.keeps_tombstones() {
        Some(keep) => Ok(state.sync.collect_aged(keep, &go_on).await?),
        None => {
            state.sync.note_age().await?;
            Ok(Garbage::default())
        }
    }
}

/// Waits; whether the server was stopped meanwhile. A sender that is gone means that, too.
async fn is_stopped(stop: &mut watch::Receiver<bool>, wait: Duration) -> bool {
    time::timeout(wait, stop.wait_for(|stop| *stop))
        .await
        .is_ok()
}
