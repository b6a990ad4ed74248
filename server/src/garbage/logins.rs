//! Forgetting sessions, devices and counters that have served.

use chrono::{DateTime, TimeDelta, Utc};
use sync_core::{retry::retry, tx};

use crate::{AppState, Error, store};

/// How long the row of a device is kept whose login has ended: what it wrote is told by its name.
const DEVICES_KEPT: TimeDelta = TimeDelta::days(365);
/// How far apart two collections lie at most, on a clock that is to be believed.
const BELIEVED: TimeDelta = TimeDelta::days(2);
/// When this was last done, in milliseconds.
const LAST: &str = "logins_forgotten_ms";

/// Forgets what has ended, but only where the clock has not jumped since the last time: while it stands in
/// the far future, all logins seem to have ended long ago.
pub(crate) async fn forget(state: &AppState) -> Result<(), Error> {
    retry(|| forget_once(state)).await
}

async fn forget_once(state: &AppState) -> Result<(), Error> {
    let (now, now_ms) = (state.now(), state.clock.now_ms());
    let tx = tx::begin_write(&state.db.write).await?;
    let last = store::setting::get(&tx, LAST).await?;
    store::login_limit::forget(&tx, now_ms).await?;
    if is_believed(last.as_deref(), now) {
        store::login_place::forget(&tx, now_ms).await?;
        store::session::forget(&tx, now).await?;
        store::sync_device::forget(&tx, now - DEVICES_KEPT).await?;
    }
    store::setting::set(&tx, LAST, now_ms.to_string()).await?;
    Ok(tx.commit().await?)
}

fn is_believed(last_ms: Option<&str>, now: DateTime<Utc>) -> bool {
    let last = last_ms.and_then(|ms| DateTime::from_timestamp_millis(ms.parse().ok()?));
    last.is_some_and(|last| (TimeDelta::zero()..BELIEVED).contains(&(now - last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_has_jumped_is_not_believed() {
        let now = DateTime::from_timestamp_millis(1_767_225_600_000).expect("time");
        let days_ago = |days: i64| (now - TimeDelta::days(days)).timestamp_millis().to_string();
        for (last, expected) in [
            (None, false),
            (Some("nonsense".to_owned()), false),
            (Some(days_ago(0)), true),
            (Some(days_ago(1)), true),
            (Some(days_ago(2)), false),
            (Some(days_ago(3_650)), false),
            (Some(days_ago(-1)), false),
        ] {
            assert_eq!(is_believed(last.as_deref(), now), expected, "{last:?}");
        }
    }
}
