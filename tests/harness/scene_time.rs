//! Scenes in which every edit has the time that a test gives it, and the orders in which devices may sync.

use std::sync::Arc;

use anyhow::{Context, Result};
use sync_core::{Device, ManualClock, UuidV7, schema::pin_clock};

use crate::{
    Faulty, Scene, SceneDevice, TestDb, TestDevice,
    device::{FILE, open},
    scene::USER,
};

/// What the clock of a scene says that stands still: some noon in 2027.
pub const NOON: i64 = 1_800_014_400_000;

/// Every order of three.
pub const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

impl Scene {
    /// A scene in which it is [`NOON`] for the server and all engines.
    ///
    /// # Errors
    /// If the database cannot be made.
    pub async fn at_noon(db: TestDb) -> Result<Self> {
        let clock = Arc::new(ManualClock::new(NOON));
        let mut scene = Self::at(db, Arc::<ManualClock>::clone(&clock)).await?;
        scene.noon = Some(clock);
        Ok(scene)
    }

    /// Moves the clock that a scene at noon goes by, forward or back.
    pub fn pass(&self, ms: i64) {
        if let Some(clock) = &self.noon {
            clock.advance(ms);
        }
    }

    /// The same database file on another machine: all that is in it, the login too.
    ///
    /// # Errors
    /// If the file cannot be copied.
    pub async fn copy_of(&self, device: &SceneDevice) -> Result<SceneDevice> {
        let folder = Arc::new(tempfile::tempdir()?);
        let file = folder.path().join(FILE);
        device
            .sql(&format!("VACUUM INTO '{}'", file.display()))
            .await?;
        let db = open(&format!("sqlite://{}", file.display())).await?;
        let (clock, ids) = (self.clock(), Arc::new(UuidV7));
        let engine = Device::open(db, entity::registry()?, clock, ids).await?;
        let net = Faulty::new(self.server.transport(USER, device.number));
        let device_number = device.number;
        Ok(SceneDevice {
            device: TestDevice::opened(folder, engine, Arc::<Faulty>::clone(&net)),
            net,
            number: device_number,
        })
    }
}

impl SceneDevice {
    /// Runs statements so many milliseconds after [`NOON`], or before, by this device's clock.
    ///
    /// # Errors
    /// What the database says.
    pub async fn at(&self, ms: i64, sql: &str) -> Result<()> {
        let db = self.device.device.db();
        pin_clock(db, Some(NOON + ms)).await?;
        self.sql(sql).await.with_context(|| sql.to_owned())
    }
}

/// Lets the devices sync in this order.
///
/// # Errors
/// What an engine says.
pub async fn sync_in(order: &[usize], devices: &[&SceneDevice]) -> Result<()> {
    for &number in order {
        let device = devices.get(number).context("no such device")?;
        device.sync().await?;
    }
    Ok(())
}
