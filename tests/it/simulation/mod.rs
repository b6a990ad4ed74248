//! Many devices, a bad network, random edits: whatever happens, all replicas agree and nothing is lost.
//!
//! `SIM_SEEDS` says how many runs, `SIM_PG_SEEDS` how many with a server on Postgres, `SIM_FROM` with which seed to begin, `SIM_SEED` names the one that
//! `one_seed` runs, `SIM_BACKEND=postgres` has its server on
//! Postgres, `SIM_BACKEND=router` sends through the router that is shipped, `SIM_GARBAGE=1` has the server
//! forget tombstones.

mod mistakes;
mod models;
pub(crate) mod servers;
mod tables;

use std::{
    env,
    process::{Command, Stdio},
    thread,
};

use anyhow::{Result, ensure};
use entity::addon;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait};
use sync_core::{
    schema::Side,
    testing::{Options, Simulation},
};

use self::{
    models::ModelEdits,
    servers::{OnPostgres, Router},
};

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

fn said(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| value != "0")
}

pub(crate) fn options() -> Options {
    Options {
        garbage: said("SIM_GARBAGE"),
        exclusive_flags: true,
        ..Options::default()
    }
}

/// Zentrio's tables, on whatever server the environment asks for.
pub(crate) fn zentrio(options: Options) -> Result<Simulation> {
    let simulation = Simulation::new(entity::registry)
        .schema(create)
        .account(add_account)
        .edits(ModelEdits)
        .options(options);
    let backend = env::var("SIM_BACKEND").unwrap_or_default();
    let replay = format!(
        "run\n  SIM_SEED={{seed}} SIM_BACKEND={backend} cargo test -p sync-tests --test it simulation::one_seed -- --nocapture"
    );
    let simulation = simulation.replay(replay);
    Ok(match backend.as_str() {
        "" | "sqlite" => simulation,
        "postgres" => simulation.server(OnPostgres),
        "router" => simulation.server(Router),
        other => anyhow::bail!("SIM_BACKEND is sqlite, postgres or router, not {other}"),
    })
}

/// As the programs do, and a catalogue whose ids are others on the server.
async fn create(db: &DatabaseConnection, side: Side) -> Result<(), DbErr> {
    let mut urls = [
        "https://one.example/manifest.json",
        "https://two.example/manifest.json",
    ];
    let side = match side {
        Side::Device => migration::Side::Device,
        Side::Server => {
            urls.reverse();
            migration::Side::Server
        }
    };
    migration::up(db, side).await?;
    for url in urls {
        let addon = addon::ActiveModel {
            manifest_url: Set(url.to_owned()),
            name: Set("An addon".to_owned()),
            ..Default::default()
        };
        addon::Entity::insert(addon).exec(db).await?;
    }
    Ok(())
}

const SHARED: &str = "simulation::whatever_happens_all_replicas_agree_and_nothing_is_lost";

pub(crate) async fn add_account(db: &DatabaseConnection, user_id: &str) -> Result<(), DbErr> {
    db.execute_unprepared(&format!(
        "INSERT INTO \"user\" (id, email, name, \"emailVerified\", \"createdAt\", \"updatedAt\")
         VALUES ('{user_id}', '{user_id}@example.com', '{user_id}', TRUE, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    ))
    .await
    .map(|_| ())
}

/// One process for each processor, which runs this test for its share: threads of one process wait for each
/// other inside SQLite, and get half as far. `SIM_FROM` and `SIM_SEEDS` say which seeds; with `SIM_ALL` it goes on
/// after the first that fails and lists them all.
#[test]
fn whatever_happens_all_replicas_agree_and_nothing_is_lost() -> Result<()> {
    let from = number("SIM_FROM").unwrap_or(1);
    let n_seeds = number("SIM_SEEDS").unwrap_or(90);
    if env::var_os("SIM_SHARE").is_some() {
        return share(from, n_seeds);
    }
    let n_shares = thread::available_parallelism()?.get() as u64;
    let each = n_seeds.div_ceil(n_shares);
    let process = |number: u64| {
        Command::new(env::current_exe()?)
            .args([SHARED, "--exact", "--nocapture"])
            .env("SIM_SHARE", number.to_string())
            .env("SIM_FROM", (from + number * each).to_string())
            .env("SIM_SEEDS", each.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    };
    let shares: Vec<_> = (0..n_shares).map(process).collect::<Result<_, _>>()?;
    for share in shares {
        let ended = share.wait_with_output()?;
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        ensure!(
            ended.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }
    Ok(())
}

fn share(from: u64, n_seeds: u64) -> Result<()> {
    let zentrio = zentrio(options())?;
    let lists_all = env::var_os("SIM_ALL").is_some();
    let mut failed = Vec::new();
    for seed in from..from + n_seeds {
        match zentrio.failure(seed)? {
            None => {}
            Some(failure) if lists_all => failed.push(format!("{seed}: {failure:.300}")),
            Some(_) => _ = self::zentrio(options())?.seed(seed).run()?,
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// `SIM_PG_SEEDS` says how many.
#[test]
fn with_a_server_on_postgres_too() -> Result<()> {
    let n_seeds = number("SIM_PG_SEEDS").unwrap_or(20);
    let zentrio = zentrio(options())?.server(OnPostgres);
    zentrio.seeds(1..=n_seeds).run()?;
    Ok(())
}

/// What the server forgets is forgotten in some of the runs only: it changes which edits can be told from others.
#[test]
fn also_where_the_server_forgets_what_was_deleted() -> Result<()> {
    let n_seeds = number("SIM_SEEDS").unwrap_or(90) / 4;
    let options = Options {
        garbage: true,
        ..options()
    };
    zentrio(options)?.seeds(1..=n_seeds).run()?;
    Ok(())
}

#[test]
fn one_seed() -> Result<()> {
    let seed = number("SIM_SEED").unwrap_or(0);
    zentrio(options())?.seed(seed).run()?;
    Ok(())
}

#[test]
fn the_same_seed_is_the_same_run() -> Result<()> {
    // The second begins with databases that the first seeds were run on, the third in another order.
    let (one, other) = (zentrio(options())?, zentrio(options())?);
    let first: Vec<u64> = (1..=3)
        .map(|seed| one.trace_hash(seed))
        .collect::<Result<_, _>>()?;
    for (seed, first) in [3, 2, 1].into_iter().zip(first.into_iter().rev()) {
        assert_eq!(one.trace_hash(seed)?, first, "seed {seed}");
        assert_eq!(other.trace_hash(seed)?, first, "seed {seed}");
    }
    Ok(())
}
