//! How long tombstones live, by a server's clock that nobody may rely on.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use sync_core::{ManualClock, server::SyncServer};
use sync_tests::{Scene, TestDb, on_both_backends};

use super::{TOMBSTONES, delete, lists, process};

on_both_backends!(
    gc_tombstones_live_as_long_as_they_shall,
    ck05_a_clock_far_ahead_forgets_no_young_tombstone,
    ck05_nor_does_one_that_stood_in_1970_when_they_came,
    ck05_a_clock_that_steps_back_only_makes_it_wait,
    gc_days_in_which_the_server_was_off_do_not_count,
);

const DAY: i64 = 24 * 60 * 60 * 1000;
const YEAR: i64 = 365 * DAY;
const NOW: i64 = 1_800_000_000_000;
const KEEP: Duration = Duration::from_secs(10 * 24 * 60 * 60);

/// A server that collects, and its clock.
struct World {
    scene: Scene,
    server: SyncServer,
    clock: Arc<ManualClock>,
}

impl World {
    /// A server that has two tombstones since `now_ms` by its clock.
    async fn new(db: TestDb, now_ms: i64) -> Result<Self> {
        let scene = Scene::new(db).await?;
        let clock = Arc::new(ManualClock::new(now_ms));
        let server = process(&scene, clock.clone())?;
        let device = scene.device().await?;
        lists(&device, &["Kept", "To go"]).await?;
        device.sync().await?;
        delete(&device, "To go").await?;
        device.sync().await?;
        Ok(Self {
            scene,
            server,
            clock,
        })
    }

    /// Collects; how many tombstones are left.
    async fn collect(&self) -> Result<usize> {
        self.server.collect_aged(KEEP, &|| true).await?;
        Ok(self.scene.rows(TOMBSTONES).await?.len())
    }

    /// Collects once a day for so many days; on which of them the tombstones went.
    async fn days(&self, n_days: u32) -> Result<Option<u32>> {
        for day in 1..=n_days {
            self.clock.advance(DAY);
            if self.collect().await? == 0 {
                return Ok(Some(day));
            }
        }
        Ok(None)
    }
}

async fn gc_tombstones_live_as_long_as_they_shall(db: TestDb) -> Result<()> {
    let world = World::new(db, NOW).await?;
    assert_eq!(world.collect().await?, 2);
    assert_eq!(world.days(30).await?, Some(10));
    Ok(())
}

async fn ck05_a_clock_far_ahead_forgets_no_young_tombstone(db: TestDb) -> Result<()> {
    let world = World::new(db, NOW).await?;
    assert_eq!(world.collect().await?, 2);
    world.clock.advance(10 * YEAR);
    assert_eq!(world.collect().await?, 2);
    // It is put right.
    world.clock.set(NOW + DAY);
    assert_eq!(world.collect().await?, 2);
    assert_eq!(
        world.days(30).await?,
        Some(9),
        "the jump counts as little more than a day"
    );
    Ok(())
}

async fn ck05_nor_does_one_that_stood_in_1970_when_they_came(db: TestDb) -> Result<()> {
    let world = World::new(db, 0).await?;
    world.scene.rows(TOMBSTONES).await?;
    assert_eq!(world.collect().await?, 2);
    world.clock.set(NOW);
    assert_eq!(world.collect().await?, 2);
    Ok(())
}

async fn ck05_a_clock_that_steps_back_only_makes_it_wait(db: TestDb) -> Result<()> {
    let world = World::new(db, NOW).await?;
    assert_eq!(world.collect().await?, 2);
    assert_eq!(world.days(5).await?, None);
    world.clock.set(NOW - YEAR);
    assert_eq!(world.collect().await?, 2);
    assert_eq!(world.days(30).await?, Some(5));
    Ok(())
}

async fn gc_days_in_which_the_server_was_off_do_not_count(db: TestDb) -> Result<()> {
    let world = World::new(db, NOW).await?;
    assert_eq!(world.collect().await?, 2);
    world.clock.advance(100 * DAY);
    assert_eq!(world.collect().await?, 2);
    Ok(())
}
