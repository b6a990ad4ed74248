//! Time that passes, as the background job sees it.

use std::time::{Duration, Instant};

use async_trait::async_trait;

/// A clock that never goes back, and waiting by it. It may stand still while the machine sleeps.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Time since some moment before this program.
    fn elapsed(&self) -> Duration;

    /// Waits that long.
    async fn sleep(&self, wait: Duration);
}

/// The operating system's.
#[derive(Clone, Copy, Debug)]
pub struct SystemTimer(Instant);

impl Default for SystemTimer {
    fn default() -> Self {
        Self(Instant::now())
    }
}

#[async_trait]
impl Timer for SystemTimer {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}
