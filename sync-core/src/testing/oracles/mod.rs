//! What must hold of every run. The numbers are those of the scenarios' oracles.

mod converged;
mod sound;
mod watch;
mod written;

use std::sync::{Arc, atomic::Ordering};

use anyhow::{Result, bail, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

pub(crate) use watch::Watch;
pub(crate) use written::take_down_aliases;

use super::{dump::Dump, ledger::Place, plan::Plan, world::World};

/// After how many rounds all devices are to be equal to the server.
const ROUNDS: usize = 2;

/// Most earlier requests that are sent again.
const N_REPLAYS: u64 = 12;

/// What was found at the end.
pub(super) struct End<'a> {
    pub(super) world: &'a World,
    pub(super) plan: &'a Plan,
    /// By account.
    pub(super) server: Vec<Dump>,
    /// By device.
    pub(super) devices: Vec<Arc<Dump>>,
}

/// Nothing goes wrong any more: everybody syncs, and everything has to hold.
pub(crate) async fn judge(world: &Arc<World>, plan: &Plan, watch: &mut Watch) -> Result<()> {
    world.line("calm");
    world.set_server_ahead(0);
    world.advance(130_000);
    for device in &world.devices {
        device.set_expired(false);
    }
    for _ in 0..ROUNDS {
        round(world, watch).await?;
    }
    let end = End::new(world, plan).await?;
    sound::nothing_waits(&end).await?;
    sound::databases_are_whole(&end).await?;
    sound::dirty_is_pending(&end).await?;
    converged::check(&end)?;
    converged::keys_are_unique(&end)?;
    converged::flags_are_exclusive(&end)?;
    converged::children_have_parents(&end)?;
    sound::the_feed_is_whole(&end).await?;
    written::take_down_aliases(world).await?;
    written::check(&end)?;
    let before = end.fingerprint().await?;
    quiet(world, plan, watch, &before).await?;
    replays_change_nothing(world, plan, &before).await
}

/// Every device syncs once.
async fn round(world: &Arc<World>, watch: &mut Watch) -> Result<()> {
    for device in 0..world.devices.len() {
        world.advance(10);
        world.sync_calmly(device).await?;
        watch.look(world).await?;
        if let Some(violation) = world.first_violation() {
            bail!(violation);
        }
    }
    Ok(())
}

/// V10: one more sync pushes nothing and writes no row.
async fn quiet(
    world: &Arc<World>,
    plan: &Plan,
    watch: &mut Watch,
    before: &Fingerprint,
) -> Result<()> {
    let n_pushes = world.n_pushes.load(Ordering::SeqCst);
    round(world, watch).await?;
    ensure!(
        world.n_pushes.load(Ordering::SeqCst) == n_pushes,
        "V10: a sync with nothing to do pushed something"
    );
    let after = End::new(world, plan).await?.fingerprint().await?;
    before.same(&after, "V10: a sync with nothing to do changed rows")
}

/// V8: earlier pushes that arrive again change nothing, neither here nor in other accounts.
async fn replays_change_nothing(
    world: &Arc<World>,
    plan: &Plan,
    before: &Fingerprint,
) -> Result<()> {
    for dice in 0..N_REPLAYS {
        world
            .deliver_old(dice.wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .await?;
    }
    let after = End::new(world, plan).await?.fingerprint().await?;
    before.same(
        &after,
        "V8: an earlier push that arrived again changed rows",
    )
}

/// All rows of all databases, and how long each feed is.
pub(super) struct Fingerprint {
    server: Vec<Dump>,
    devices: Vec<Arc<Dump>>,
    heads: Vec<String>,
    /// The entries of all feeds, to tell what has moved.
    feed: Vec<String>,
}

impl Fingerprint {
    fn same(&self, other: &Self, what: &str) -> Result<()> {
        let moved = |entry: &&String| !self.feed.contains(entry);
        ensure!(
            self.heads == other.heads,
            "{what}: feeds {:?} {:?}, moved: {:?}",
            self.heads,
            other.heads,
            other.feed.iter().filter(moved).collect::<Vec<_>>()
        );
        let servers = self.server.iter().zip(&other.server);
        let devices = self.devices.iter().zip(&other.devices);
        let devices = devices.map(|(one, other)| (&**one, &**other));
        for (one, other) in servers.chain(devices).filter(|(one, other)| one != other) {
            let change = one.rows.iter().find(|row| !other.rows.contains(row));
            let new = other.rows.iter().find(|row| !one.rows.contains(row));
            ensure!(
                change.is_none() && new.is_none(),
                "{what}: {change:?} {new:?}"
            );
        }
        Ok(())
    }
}

impl<'a> End<'a> {
    async fn new(world: &'a World, plan: &'a Plan) -> Result<Self> {
        let all = world.dump(Place::Server).await?;
        let accounts = world.setup.accounts.iter();
        let server = accounts.map(|account| all.owned_by(&account.id)).collect();
        let mut devices = Vec::new();
        for number in 0..world.devices.len() {
            world.link(number).await?;
            devices.push(world.dump(Place::Device(number)).await?);
        }
        Ok(Self {
            world,
            plan,
            server,
            devices,
        })
    }

    /// Those of all accounts and all devices.
    pub(super) fn dumps(&self) -> impl Iterator<Item = &Dump> {
        let devices = self.devices.iter().map(|dump| &**dump);
        self.server.iter().chain(devices)
    }

    async fn fingerprint(&self) -> Result<Fingerprint> {
        let heads = texts(
            self.world.server.db(),
            "SELECT user_id || ' ' || CAST(head AS TEXT) AS text FROM sync_account ORDER BY user_id",
        );
        let feed = texts(
            self.world.server.db(),
            "SELECT tbl || ' ' || remote_id || ' ' || CAST(seq AS TEXT) || ' ' || clocks AS text FROM sync_feed",
        );
        Ok(Fingerprint {
            server: self.server.clone(),
            devices: self.devices.clone(),
            heads: heads.await?,
            feed: feed.await?,
        })
    }
}

/// The column `text` of a query.
pub(crate) async fn texts(db: &DatabaseConnection, sql: &str) -> Result<Vec<String>> {
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    rows.iter()
        .map(|row| Ok(row.try_get("", "text")?))
        .collect()
}
