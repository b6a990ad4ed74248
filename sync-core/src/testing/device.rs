//! A device of a simulation: a file, a clock, and the engine that has the file open.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use super::{desk::File, plan::DevicePlan, setup::Setup, template};
use crate::{CountedIds, Device, ManualClock};
use anyhow::{Context, Result};
use sea_orm::DatabaseConnection;

/// Lives on when its program ends.
pub(crate) struct SimDevice {
    pub(crate) account: usize,
    pub(crate) clock: Arc<ManualClock>,
    setup: Arc<Setup>,
    plan: DevicePlan,
    ids: Arc<CountedIds>,
    file: Mutex<File>,
    running: Mutex<Option<Device>>,
    ahead_ms: Mutex<i64>,
    expired: AtomicBool,
}

impl SimDevice {
    /// Starts on a database.
    pub(crate) fn start(
        setup: Arc<Setup>,
        number: usize,
        plan: DevicePlan,
        file: File,
    ) -> Result<Self> {
        let this = Self {
            account: plan.account,
            clock: Arc::new(ManualClock::new(template::BEGIN_MS)),
            ids: Arc::new(CountedIds::new(u32::try_from(number)? + 1)),
            file: Mutex::new(file),
            running: Mutex::new(None),
            ahead_ms: Mutex::new(plan.ahead_ms),
            expired: AtomicBool::new(false),
            setup,
            plan,
        };
        this.open();
        Ok(this)
    }

    fn open(&self) {
        let (db, registry) = (lock(&self.file).db.clone(), self.setup.registry.clone());
        let device = Device::installed(db, registry, self.clock.clone(), self.ids.clone());
        *lock(&self.running) = Some(device.with_limits(self.plan.limits));
    }

    /// The program ends, at once and wherever it is, and starts again.
    pub(crate) async fn restart(&self) -> Result<()> {
        let mut file = self.stop();
        if !file.is_at_rest().await {
            file.reopen().await?;
            *lock(&self.file) = file;
        }
        self.open();
        Ok(())
    }

    /// The program ends, and leaves its file.
    pub(crate) fn stop(&self) -> File {
        drop(lock(&self.running).take());
        lock(&self.file).clone()
    }

    pub(crate) fn engine(&self) -> Result<Device> {
        lock(&self.running)
            .clone()
            .context("the device is not running")
    }

    pub(crate) fn db(&self) -> Result<DatabaseConnection> {
        Ok(self.engine()?.db().clone())
    }

    /// Puts the clock where it stands at this true time.
    pub(crate) fn tick(&self, true_ms: i64) {
        self.clock.set(true_ms + *lock(&self.ahead_ms));
    }

    /// Whether what the device logged in with is no longer good.
    pub(crate) fn expired(&self) -> bool {
        self.expired.load(Ordering::SeqCst)
    }

    pub(crate) fn set_expired(&self, expired: bool) {
        self.expired.store(expired, Ordering::SeqCst);
    }

    /// Has the clock be off by so much from now on.
    pub(crate) fn set_ahead(&self, ahead_ms: i64) {
        *lock(&self.ahead_ms) = ahead_ms;
    }
}

/// What a mutex holds; a test that panicked elsewhere has failed already.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
