//! A device whose clock is years off: its edits count as made when they were made, and win no more often.

use std::sync::Arc;

use anyhow::Result;
use sync_core::{ManualClock, schema::pin_clock};
use sync_tests::{NOON, ORDERS, Scene, SceneDevice, TestDb, on_both_backends, scene::USER};

on_both_backends!(
    ck01_years_ahead_wins_no_more_often,
    ck02_years_behind_is_not_ignored,
    ck01_wrong_and_right_clocks_in_every_order,
    ck05_a_server_clock_that_is_set_back,
);

const YEAR: i64 = 31_557_600_000;

/// A device whose clock is off by so much: engine and database alike.
struct Wrong {
    device: SceneDevice,
    clock: Arc<ManualClock>,
    off: i64,
}

impl Wrong {
    async fn new(scene: &Scene, off: i64) -> Result<Self> {
        let clock = Arc::new(ManualClock::new(NOON + off));
        let device = scene
            .device_with(USER, Arc::<ManualClock>::clone(&clock))
            .await?;
        pin_clock(device.device.device.db(), Some(NOON + off)).await?;
        Ok(Self { device, clock, off })
    }

    /// An edit so long after noon in truth.
    async fn at(&self, ms: i64, sql: &str) -> Result<()> {
        self.device.at(self.off + ms, sql).await
    }

    fn now(&self, ms: i64) {
        self.clock.set(NOON + self.off + ms);
    }
}

/// The wrong one edits, a right one edits later, the wrong one again: the last word stands each time.
async fn takes_turns(db: TestDb, off: i64) -> Result<()> {
    let scene = Scene::at_noon(db).await?;
    let wrong = Wrong::new(&scene, off).await?;
    let right = scene.device().await?;
    wrong
        .at(
            -5_000,
            "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'first', 'x')",
        )
        .await?;
    scene.settled(&[&wrong.device, &right]).await?;
    for turn in 1..5 {
        scene.pass(60_000);
        wrong.now(turn * 60_000);
        let at = turn * 60_000 - 10_000;
        let name = format!("turn {turn}");
        let sql = format!("UPDATE profiles SET name = '{name}'");
        if turn % 2 == 1 {
            right.at(at, &sql).await?;
        } else {
            wrong.at(at, &sql).await?;
        }
        scene.settled(&[&right, &wrong.device]).await?;
        assert_eq!(scene.one("SELECT name FROM profiles").await?, name);
        let future = format!(
            "SELECT count(*) FROM sync_feed WHERE clocks LIKE '%[{}%'",
            (NOON + off) / 1_000_000_000
        );
        assert_eq!(
            scene.one(&future).await?,
            "0",
            "nothing is stamped by the wrong clock"
        );
    }
    Ok(())
}

async fn ck01_years_ahead_wins_no_more_often(db: TestDb) -> Result<()> {
    takes_turns(db, 10 * YEAR).await
}

async fn ck02_years_behind_is_not_ignored(db: TestDb) -> Result<()> {
    takes_turns(db, -NOON + 86_400_000).await
}

/// Three that edit one field unseen by each other: the one that did it last in truth.
async fn ck01_wrong_and_right_clocks_in_every_order(db: TestDb) -> Result<()> {
    for order in ORDERS {
        let scene = Scene::at_noon(TestDb::new(db.backend()).await?).await?;
        let (ahead, behind) = (
            Wrong::new(&scene, YEAR).await?,
            Wrong::new(&scene, -YEAR).await?,
        );
        let right = scene.device().await?;
        right
            .at(
                -600_000,
                "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'first', 'x')",
            )
            .await?;
        scene
            .settled(&[&right, &ahead.device, &behind.device])
            .await?;
        scene.pass(600_000);
        ahead.now(600_000);
        behind.now(600_000);
        ahead
            .at(300_000, "UPDATE profiles SET name = 'ahead'")
            .await?;
        right
            .at(400_000, "UPDATE profiles SET name = 'right'")
            .await?;
        behind
            .at(500_000, "UPDATE profiles SET name = 'behind'")
            .await?;
        let devices = [&right, &ahead.device, &behind.device];
        for number in order {
            devices[number].sync().await?;
        }
        scene.settled(&devices).await?;
        let name = scene.one("SELECT name FROM profiles").await?;
        // A clock behind what it has seen goes on from there: between its edits it cannot tell how long it was.
        assert!(
            ["right", "behind"].contains(&name.as_str()),
            "{name} {order:?}"
        );
    }
    Ok(())
}

/// CK05: positions still rise, and later edits of rows that were seen still stand.
async fn ck05_a_server_clock_that_is_set_back(db: TestDb) -> Result<()> {
    let scene = Scene::at_noon(db).await?;
    let (a, b) = scene.pair().await?;
    a.at(
        -5_000,
        "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'first', 'x')",
    )
    .await?;
    scene.settled(&[&a, &b]).await?;
    let mut head = scene.head().await?;
    for (turn, back) in (0_i64..).zip([86_400_000, 3_600_000, 1]) {
        scene.pass(-back);
        let device = if turn % 2 == 0 { &b } else { &a };
        let name = format!("turn {turn}");
        device
            .sql(&format!("UPDATE profiles SET name = '{name}'"))
            .await?;
        scene.settled(&[device, &a, &b]).await?;
        assert_eq!(scene.one("SELECT name FROM profiles").await?, name);
        let now = scene.head().await?;
        assert!(now > head, "the feed's end went from {head} to {now}");
        head = now;
    }
    Ok(())
}
