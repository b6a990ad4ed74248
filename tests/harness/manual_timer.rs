//! Time for the background job, which passes when a test says so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use app_adapter::Timer;
use async_trait::async_trait;
use sync_core::ManualClock;
use tokio::sync::watch;

/// A timer, and the clock on the wall beside it.
#[derive(Clone)]
pub struct ManualTime {
    /// What the wall shows.
    pub clock: Arc<ManualClock>,
    /// What a timer has counted.
    pub timer: Arc<ManualTimer>,
}

/// A timer that stands.
pub struct ManualTimer {
    elapsed: watch::Sender<Duration>,
    panics: AtomicBool,
}

impl ManualTime {
    /// Time that stands still at this moment.
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        Self {
            clock: Arc::new(ManualClock::new(now_ms)),
            timer: Arc::new(ManualTimer {
                elapsed: watch::Sender::new(Duration::ZERO),
                panics: AtomicBool::new(false),
            }),
        }
    }

    /// Both go on.
    pub fn pass(&self, time: Duration) {
        self.sleep(time);
        self.timer.elapsed.send_modify(|elapsed| *elapsed += time);
    }

    /// Whoever next asks how late it is panics: that is the job itself, which only asks this of its timer.
    pub fn panic_once(&self) {
        self.timer.panics.store(true, Ordering::SeqCst);
    }

    /// Whether that has happened.
    #[must_use]
    pub fn has_panicked(&self) -> bool {
        !self.timer.panics.load(Ordering::SeqCst)
    }

    /// The machine sleeps: only the clock on the wall goes on.
    pub fn sleep(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.clock.advance(ms);
    }
}

#[async_trait]
impl Timer for ManualTimer {
    fn elapsed(&self) -> Duration {
        assert!(
            !self.panics.swap(false, Ordering::SeqCst),
            "the test wants it so"
        );
        *self.elapsed.borrow()
    }

    async fn sleep(&self, wait: Duration) {
        let mut elapsed = self.elapsed.subscribe();
        let until = *self.elapsed.borrow() + wait;
        // The sender lives as long as this.
        let _ = elapsed.wait_for(|elapsed| *elapsed >= until).await;
    }
}
