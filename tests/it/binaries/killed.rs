//! Either program is killed in the middle of its work, and afterwards everything converges.

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use sync_tests::{
    TestDb,
    gate::{Gate, Stop},
    on_both_backends,
    programs::{DeviceFile, ServerProgram, until},
};

use super::{all_agree, code, device, number, serve};

on_both_backends!(
    f01_a_server_killed_while_a_push_comes_in,
    f01_a_server_killed_while_it_writes_a_push,
    f01_a_server_killed_before_its_answer_arrives,
    f02_a_sync_killed_while_its_push_goes_out,
    f02_a_sync_killed_before_its_answer_arrives,
    f02_a_sync_killed_while_it_writes,
    f02_a_sync_killed_between_two_pages,
);

/// Enough for several pushes.
const N_ITEMS: i64 = 2_500;
/// A request in the middle of which there is much before and much behind, compressed as it is.
const SECOND: u32 = 2;
const MIDDLE: usize = 5_000;

/// A device with much to send, one that waits for it, and a gate between them and the server.
struct World {
    db: TestDb,
    server: ServerProgram,
    gate: Gate,
    a: DeviceFile,
    b: DeviceFile,
}

impl World {
    fn new(db: TestDb) -> Result<Self> {
        let server = serve(&db)?;
        let gate = Gate::before(server.address)?;
        let (a, b) = (device(&gate.url())?, device(&gate.url())?);
        a.sql(&format!(
            "INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user;
             INSERT INTO lists (profile_id, name) SELECT id, 'Later' FROM profiles;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {N_ITEMS})
             INSERT INTO list_items (list_id, meta_id, type, title) SELECT l.id, 'tt' || i, 'movie', 'Title ' || i
               FROM lists l, n"
        ))?;
        Ok(Self {
            db,
            server,
            gate,
            a,
            b,
        })
    }

    /// Kills the server when `now`, while A pushes; A's sync then fails, and another server is there.
    async fn kill_server(
        mut self,
        stop: Stop,
        now: impl AsyncFnOnce(&Self) -> Result<()>,
    ) -> Result<()> {
        self.gate.stop_at(stop);
        let sync = self.a.start_zentrio(&["sync", "--json"])?;
        now(&self).await?;
        self.server.kill()?;
        self.gate.cut();
        let failed = sync.ended()?.with_code(4)?.json()?;
        ensure!(code(&failed) == "unreachable", "{failed}");
        self.server = ServerProgram::start(self.db.url())?;
        self.gate.lead_to(self.server.address);
        self.converges().await
    }

    /// Kills a device's sync when `now`.
    async fn kill_sync(
        self,
        device: &str,
        stop: Stop,
        now: impl AsyncFnOnce(&Self) -> Result<()>,
    ) -> Result<()> {
        self.gate.stop_at(stop);
        let device = if device == "A" { &self.a } else { &self.b };
        let sync = device.start_zentrio(&["sync", "--json"])?;
        now(&self).await?;
        let killed = sync.kill()?;
        ensure!(killed.stdout.is_empty(), "{killed:?}");
        self.gate.cut();
        // Until it is sure that the killed one will not come back.
        let busy = device.zentrio(&["sync", "--json"])?.with_code(5)?.json()?;
        ensure!(code(&busy) == "busy", "{busy}");
        device.sql("UPDATE sync_state SET lease_until_ms = 0")?;
        self.converges().await
    }

    /// What was sent is not sent for nothing; in the end all have all of it, once.
    async fn converges(self) -> Result<()> {
        self.a.sync().context("A's next sync")?;
        self.b.sync().context("B's next sync")?;
        all_agree(&self.db, &[&self.a, &self.b]).await?;
        let at_server = self.db.connect().await?;
        let n_items = number(
            &at_server,
            "SELECT count(*) FROM list_items WHERE deleted_at IS NULL",
        )
        .await?;
        ensure!(n_items == N_ITEMS, "the server has {n_items} items");
        let n_titles = self
            .b
            .sql("SELECT count(DISTINCT meta_id) FROM list_items WHERE title LIKE 'Title %'")?;
        ensure!(n_titles == N_ITEMS.to_string(), "B has {n_titles} items");
        Ok(())
    }

    async fn n_at_server(&self) -> Result<i64> {
        number(&self.db.connect().await?, "SELECT count(*) FROM sync_feed").await
    }
}

async fn f01_a_server_killed_while_a_push_comes_in(db: TestDb) -> Result<()> {
    let world = World::new(db)?;
    let now = async |world: &World| {
        world.gate.stops().await?;
        ensure!(
            world.n_at_server().await? == 1_000,
            "the first push is there, the second not"
        );
        Ok(())
    };
    world.kill_server(Stop::InPush(SECOND, MIDDLE), now).await
}

async fn f01_a_server_killed_while_it_writes_a_push(db: TestDb) -> Result<()> {
    let world = World::new(db)?;
    let now = async |world: &World| {
        let at_server = world.db.connect().await?;
        let what = "the server writes the second push";
        until(what, async || {
            Ok(world.gate.is_stopping()
                || world.gate.n_pushes() >= SECOND && is_writing(&at_server).await?)
        })
        .await
    };
    // Where it cannot be caught in the act, it is caught right behind.
    world.kill_server(Stop::AnswerOfPush(SECOND), now).await
}

async fn f01_a_server_killed_before_its_answer_arrives(db: TestDb) -> Result<()> {
    let world = World::new(db)?;
    let now = async |world: &World| {
        world.gate.stops().await?;
        ensure!(world.n_at_server().await? == 2_000, "both pushes are there");
        Ok(())
    };
    world.kill_server(Stop::AnswerOfPush(SECOND), now).await
}

async fn f02_a_sync_killed_while_its_push_goes_out(db: TestDb) -> Result<()> {
    let world = World::new(db)?;
    world
        .kill_sync("A", Stop::InPush(SECOND, MIDDLE), async |world: &World| {
            world.gate.stops().await
        })
        .await
}

async fn f02_a_sync_killed_before_its_answer_arrives(db: TestDb) -> Result<()> {
    let world = World::new(db)?;
    let now = async |world: &World| {
        world.gate.stops().await?;
        ensure!(world.n_at_server().await? == 2_000, "both pushes are there");
        Ok(())
    };
    world.kill_sync("A", Stop::AnswerOfPush(SECOND), now).await
}

async fn f02_a_sync_killed_while_it_writes(db: TestDb) -> Result<()> {
    let world = World::new(db)?;
    let now = async |world: &World| {
        let at_a = world.a.open().await?;
        let what = "A takes note of an answer";
        until(what, async || {
            Ok(world.gate.is_stopping()
                || world.gate.n_pushes() >= SECOND && is_writing(&at_a).await?)
        })
        .await
    };
    world.kill_sync("A", Stop::AnswerOfPush(3), now).await
}

async fn f02_a_sync_killed_between_two_pages(db: TestDb) -> Result<()> {
    let world = World::new(db)?;
    world.a.sync()?;
    let now = async |world: &World| {
        world.gate.stops().await?;
        // The page before is on its way into the file, or there.
        let at_b = world.b.open().await?;
        until("B has the first page", async || {
            Ok(number(&at_b, "SELECT count(*) FROM list_items").await? > 0)
        })
        .await
    };
    world.kill_sync("B", Stop::AnswerOfPull(SECOND), now).await
}

/// Whether somebody else is in the middle of writing to a database.
async fn is_writing(db: &DatabaseConnection) -> Result<bool> {
    if db.get_database_backend() == DbBackend::Postgres {
        let writers = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL";
        return Ok(number(db, writers).await? > 0);
    }
    db.execute_unprepared("PRAGMA busy_timeout = 0").await?;
    match db.execute_unprepared("BEGIN IMMEDIATE").await {
        Ok(_) => {
            db.execute_unprepared("ROLLBACK").await?;
            Ok(false)
        }
        Err(error) if error.to_string().contains("locked") => Ok(true),
        Err(error) => Err(error.into()),
    }
}
