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
    gc_marks_of_long_ago_go_too_and_devices_from_there_go_on,
    ck05_positions_rise_while_the_clock_steps_back,
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

/// Nothing was deleted: a device from long ago has missed nothing, and need not begin anew.
async fn gc_marks_of_long_ago_go_too_and_devices_from_there_go_on(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    for number in 0..5 {
        a.add_profile(&format!("Profile {number}")).await?;
        a.sync().await?;
        if number == 1 {
            b.sync().await?;
        }
    }
    let marks = "SELECT seq FROM sync_mark";
    assert_eq!(scene.rows(marks).await?.len(), 5);
    scene
        .server
        .engine
        .collect_aged(Duration::ZERO, &|| true)
        .await?;
    assert_eq!(scene.rows(marks).await?.len(), 1);
    b.net.forget();
    b.sync().await?;
    assert_eq!(b.net.pulls().len(), 1);
    scene.settled(&[&a, &b]).await
}

/// Whatever the clock does, every push is heard of, in one order, and nothing is forgotten for it.
async fn ck05_positions_rise_while_the_clock_steps_back(db: TestDb) -> Result<()> {
    let clock = Arc::new(ManualClock::new(NOW));
    let scene = Scene::at(db, clock.clone()).await?;
    let (a, b) = scene.pair().await?;
    let (mut head, mut n_profiles) = (0, 0);
    for now_ms in [NOW, NOW - YEAR, NOW + 10 * YEAR, 0, NOW - 1, NOW] {
        clock.set(now_ms);
        n_profiles += 1;
        let profile = a.add_profile(&format!("At {now_ms} {n_profiles}")).await?;
        let list = a.add_list(profile, "To go").await?;
        a.sync().await?;
        a.sql(&format!("DELETE FROM lists WHERE id = {list}"))
            .await?;
        a.sync().await?;
        let before = std::mem::replace(&mut head, scene.head().await?);
        assert!(head >= before + 3, "{before} {head}");
        scene.server.engine.collect_aged(KEEP, &|| true).await?;
        b.sync().await?;
        let count = "SELECT count(*) FROM profiles";
        assert_eq!(b.one(count).await?, n_profiles.to_string());
        assert_eq!(b.rows("SELECT id FROM lists").await?, [""; 0]);
    }
    assert_eq!(scene.rows(TOMBSTONES).await?.len(), n_profiles);
    scene.settled(&[&a, &b]).await
}

async fn gc_days_in_which_the_server_was_off_do_not_count(db: TestDb) -> Result<()> {
    let world = World::new(db, NOW).await?;
    assert_eq!(world.collect().await?, 2);
    world.clock.advance(100 * DAY);
    assert_eq!(world.collect().await?, 2);
    Ok(())
}
