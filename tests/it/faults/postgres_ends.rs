//! F15: Postgres is restarted, in good order and as by a crash, and its connections are ended, while devices
//! sync. The server goes on without a restart of its own, and nothing is lost or doubled.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, Database};
use sync_tests::{
    postgres::{Cluster, Durability, Stop},
    programs::{DeviceFile, ServerProgram, until},
    snapshot::query,
};

const EMAIL: &str = "anna@example.org";
const PASSWORD: &str = "correct horse battery";
/// Rows that a device adds before each of its syncs: enough for a push to take a while.
const N_ROWS: usize = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_postgres_is_restarted_and_its_backends_are_killed_under_load() -> Result<()> {
    let cluster = Cluster::start(Durability::Forgetful).await?;
    let url = cluster.create_database().await?;
    ServerProgram::add_user_to(&url, EMAIL, PASSWORD)?.with_code(0)?;
    let server = ServerProgram::start(&url)?;
    let (a, b) = (device(&server.url())?, device(&server.url())?);
    a.sql(
        "INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user;
         INSERT INTO lists (profile_id, name) SELECT id, 'Later' FROM profiles",
    )?;
    a.sync()?;
    let (stop, rounds) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let load = tokio::task::spawn_blocking({
        let (stop, rounds) = (Arc::clone(&stop), Arc::clone(&rounds));
        move || load(a, &stop, &rounds)
    });
    let wait = async || {
        let now = rounds.load(Ordering::SeqCst);
        until("the device syncs on", async || {
            Ok(rounds.load(Ordering::SeqCst) >= now + 2)
        })
        .await
    };
    for how in [Stop::Fast, Stop::Immediate] {
        wait().await?;
        cluster.restart(how).await?;
    }
    for _ in 0..3 {
        wait().await?;
        kill_backends(&cluster.url("postgres")).await?;
    }
    wait().await?;
    stop.store(true, Ordering::SeqCst);
    let a = load.await??;

    a.sync().context("the last sync")?;
    b.sync()?;
    let n_rows = rounds.load(Ordering::SeqCst) * N_ROWS;
    let count = "SELECT count(*) || ' ' || count(DISTINCT meta_id) FROM list_items WHERE deleted_at IS NULL";
    for device in [&a, &b] {
        let there = device.sql(count)?;
        ensure!(there == format!("{n_rows} {n_rows}"), "{there} of {n_rows}");
        ensure!(device.status()?["state"] == "synced");
    }
    let at_server = Database::connect(&url).await?;
    let there = query(&at_server, count).await?;
    ensure!(
        there == [format!("{n_rows} {n_rows}")],
        "{there:?} of {n_rows}"
    );
    let gaps = "SELECT CAST(count(*) AS TEXT) FROM (SELECT count(*) AS n FROM sync_feed GROUP BY account, seq) s WHERE n > 1";
    ensure!(query(&at_server, gaps).await? == ["0"]);
    at_server.close().await?;
    Ok(())
}

fn device(url: &str) -> Result<DeviceFile> {
    let device = DeviceFile::missing()?;
    device.connect(url, EMAIL, PASSWORD)?.with_code(0)?;
    Ok(device)
}

/// Writes and syncs until it is told to stop; a sync may fail, but only for want of a server.
fn load(device: DeviceFile, stop: &AtomicBool, rounds: &AtomicUsize) -> Result<DeviceFile> {
    while !stop.load(Ordering::SeqCst) {
        let round = rounds.load(Ordering::SeqCst);
        device.sql(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {N_ROWS})
             INSERT INTO list_items (list_id, meta_id, type) SELECT l.id, 'tt{round}-' || i, 'movie' FROM lists l, n"
        ))?;
        let ended = device.zentrio(&["sync", "--json"])?;
        ensure!(matches!(ended.code, Some(0 | 4)), "{ended:?}");
        rounds.fetch_add(1, Ordering::SeqCst);
    }
    Ok(device)
}

async fn kill_backends(admin_url: &str) -> Result<()> {
    let admin = Database::connect(admin_url).await?;
    admin
        .execute_unprepared(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
        .await?;
    Ok(admin.close().await?)
}
