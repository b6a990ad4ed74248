//! Three processes behind a proxy on one Postgres, one of which is killed under load.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, ensure};
use sync_core::http_transport::HttpTransport;
use sync_tests::{
    Backend, TestDb, TestDevice,
    balancer::Balancer,
    programs::{ServerProgram, until},
    snapshot::query,
};

use crate::faults::load::{Load, PASSWORD, check, sync_token};

const N_THREADS: usize = 8;
const N_PUSHES: i64 = 60;

#[tokio::test]
async fn r02_one_of_three_processes_is_killed_under_load_one_account() -> Result<()> {
    exact(1).await
}

#[tokio::test]
async fn r02_one_of_three_processes_is_killed_under_load_four_accounts() -> Result<()> {
    exact(4).await
}

async fn exact(n_accounts: usize) -> Result<()> {
    let db = TestDb::new(Backend::Postgres).await?;
    for account in 0..n_accounts {
        ServerProgram::add_user_to(db.url(), &email(account), PASSWORD)?.with_code(0)?;
    }
    let mut servers = (0..3)
        .map(|_| ServerProgram::start(db.url()))
        .collect::<Result<Vec<_>>>()?;
    let proxy = Balancer::before(servers.iter().map(|server| server.address).collect())?;
    let n_done = Arc::new(AtomicI64::new(0));
    let threads: Vec<_> = (0..N_THREADS)
        .map(|number| {
            let load = Load {
                url: proxy.url(),
                email: email(number % n_accounts),
                n_pushes: N_PUSHES,
                n_done: n_done.clone(),
                insists: true,
            };
            thread::spawn(move || load.run())
        })
        .collect();
    let all = N_PUSHES * i64::try_from(N_THREADS)?;
    until("a third is done", async || {
        Ok(n_done.load(Ordering::Relaxed) > all / 3)
    })
    .await?;
    servers.remove(1).kill()?;
    ensure!(n_done.load(Ordering::Relaxed) < all, "it came too late");
    for thread in threads {
        thread.join().ok().context("a thread panicked")??;
    }
    let connection = db.connect().await?;
    check(&connection, n_accounts, N_PUSHES, N_THREADS).await?;
    let locks = "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'";
    ensure!(query(&connection, locks).await? == ["0"]);
    a_device_gets_all_of_it(&proxy.url(), all / i64::try_from(n_accounts)?).await
}

async fn a_device_gets_all_of_it(url: &str, n_rows: i64) -> Result<()> {
    let token = sync_token(url, &email(0)).await?;
    let transport = Arc::new(HttpTransport::new(url, Some(token))?);
    let (clock, ids) = (
        Arc::new(sync_core::SystemClock),
        Arc::new(sync_core::UuidV7),
    );
    let device = TestDevice::zentrio("local", clock, ids, transport).await?;
    device.sync().await?;
    let names = device
        .one("SELECT count(DISTINCT name) FROM profiles")
        .await?;
    ensure!(names == n_rows.to_string(), "{names} of {n_rows}");
    Ok(())
}

fn email(account: usize) -> String {
    format!("anna{account}@example.org")
}
