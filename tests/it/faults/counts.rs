//! R02: eight threads push at once, to one account and to eight; afterwards every count is exact.

use std::{
    sync::{Arc, atomic::AtomicI64},
    thread,
};

use anyhow::{Context, Result};
use sync_tests::{TestDb, on_both_backends, programs::ServerProgram};

use super::load::{Load, PASSWORD, check};

on_both_backends!(
    r02_eight_threads_one_account,
    r02_eight_threads_eight_accounts
);

const N_THREADS: usize = 8;
const N_PUSHES: i64 = 100;

async fn r02_eight_threads_one_account(db: TestDb) -> Result<()> {
    exact(db, 1).await
}

async fn r02_eight_threads_eight_accounts(db: TestDb) -> Result<()> {
    exact(db, N_THREADS).await
}

pub(crate) async fn exact(db: TestDb, n_accounts: usize) -> Result<()> {
    for account in 0..n_accounts {
        ServerProgram::add_user_to(db.url(), &email(account), PASSWORD)?.with_code(0)?;
    }
    let server = ServerProgram::start(db.url())?;
    let n_done = Arc::new(AtomicI64::new(0));
    let threads: Vec<_> = (0..N_THREADS)
        .map(|number| {
            let load = Load {
                url: server.url(),
                email: email(number % n_accounts),
                n_pushes: N_PUSHES,
                n_done: n_done.clone(),
                insists: false,
            };
            thread::spawn(move || load.run())
        })
        .collect();
    for thread in threads {
        thread.join().ok().context("a thread panicked")??;
    }
    check(&db.connect().await?, n_accounts, N_PUSHES, N_THREADS).await
}

fn email(account: usize) -> String {
    format!("anna{account}@example.org")
}
