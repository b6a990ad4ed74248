//! Tombstones are forgotten while devices push and pull, by two servers on one database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow};
use sync_core::{SystemClock, UuidV7, protocol::ErrorCode, server::SyncServer};
use sync_tests::{Scene, SceneDevice, TestDb, on_both_backends};

use super::{delete, lists};

on_both_backends!(r08_what_is_deleted_while_others_forget_comes_back_nowhere);

const ROUNDS: usize = 12;

/// A server process of its own: its own connections and its own threads.
async fn server(url: &str) -> Result<SyncServer> {
    let config = server::Config {
        database_url: url.replace("?mode=rwc", ""),
        ..server::Config::default()
    };
    let db = server::db::open(&config).await?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
    Ok(SyncServer::new(db, entity::registry()?, clock, ids))
}

/// Forgets all there is, again and again until told to end; how much it was.
fn forgetting(url: String, over: Arc<AtomicBool>) -> thread::JoinHandle<Result<u64>> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let server = server(&url).await?;
            let mut n_tombstones = 0;
            while !over.load(Ordering::SeqCst) {
                let garbage = server.collect_aged(Duration::ZERO, &|| true).await?;
                anyhow::ensure!(garbage.n_failed == 0);
                n_tombstones += garbage.n_tombstones;
            }
            Ok(n_tombstones)
        })
    })
}

async fn r08_what_is_deleted_while_others_forget_comes_back_nowhere(db: TestDb) -> Result<()> {
    let mut scene = Scene::new(db).await?;
    let url = scene.server.database().url().to_owned();
    scene.server.engine = server(&url).await?;
    let devices = [
        scene.device().await?,
        scene.device().await?,
        scene.device().await?,
    ];
    let names: Vec<String> = (0..ROUNDS).map(|number| format!("List {number}")).collect();
    lists(
        &devices[0],
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await?;
    scene.settled(&devices.each_ref()).await?;
    let over = Arc::new(AtomicBool::new(false));
    let forgetting = [
        forgetting(url.clone(), over.clone()),
        forgetting(url, over.clone()),
    ];

    let worked = tokio::try_join!(
        deletes(&devices[0], &names),
        edits(&devices[1], &names),
        comes_seldom(&devices[2]),
    );
    over.store(true, Ordering::SeqCst);
    let mut n_forgotten = 0;
    for thread in forgetting {
        n_forgotten += thread.join().map_err(|_| anyhow!("it panicked"))??;
    }
    worked?;

    scene.settled(&devices.each_ref()).await?;
    let live = "SELECT name FROM lists WHERE deleted_at IS NULL AND name LIKE 'List%'";
    assert_eq!(scene.rows(live).await?, [""; 0], "all were deleted");
    let made = "SELECT count(*) FROM lists WHERE deleted_at IS NULL AND name LIKE 'Made%'";
    assert_eq!(scene.one(made).await?, ROUNDS.to_string());
    assert!(n_forgotten > 0, "nothing was forgotten meanwhile");
    Ok(())
}

async fn deletes(device: &SceneDevice, names: &[String]) -> Result<()> {
    for name in names {
        delete(device, name).await?;
        sync(device).await?;
    }
    Ok(())
}

/// Edits what may be deleted and forgotten already, and makes rows.
async fn edits(device: &SceneDevice, names: &[String]) -> Result<()> {
    for name in names.iter().rev() {
        device
            .sql(&format!(
                "UPDATE lists SET is_default = NOT coalesce(is_default, 0) WHERE name = '{name}'"
            ))
            .await?;
        device.add_list(1, &format!("Made beside {name}")).await?;
        sync(device).await?;
    }
    Ok(())
}

async fn comes_seldom(device: &SceneDevice) -> Result<()> {
    for _ in 0..ROUNDS / 3 {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        sync(device).await?;
    }
    Ok(())
}

/// Tombstones that live for no time at all may be forgotten in the middle of a sync.
async fn sync(device: &SceneDevice) -> Result<()> {
    match device.sync().await {
        Err(error) if error.code() != Some(ErrorCode::CursorTooOld) => Err(error.into()),
        _ => Ok(()),
    }
}
