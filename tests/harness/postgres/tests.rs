//! The harness has to be trusted before the tests that lean on it.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, query_scalar};

use super::{Cluster, Database, Durability, Stop};

#[tokio::test]
async fn a_database_is_gone_with_its_value_even_while_in_use() -> Result<()> {
    let (kept, dropped) = (Database::fresh().await?, Database::fresh().await?);
    let (url, name) = (dropped.url().to_owned(), dropped.name.clone());
    let mut in_use = PgConnection::connect(&url).await?;
    drop(dropped);

    assert!(in_use.execute("SELECT 1").await.is_err());
    assert!(PgConnection::connect(&url).await.is_err());
    let mut witness = PgConnection::connect(kept.url()).await?;
    let found: i64 = query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_one(&mut witness)
        .await?;
    assert_eq!(found, 0);
    Ok(())
}

#[tokio::test]
async fn only_a_durable_database_waits_for_the_disk() -> Result<()> {
    let durable = Database::durable().await?;
    assert_eq!(setting(durable.url(), "fsync").await?, "on");
    assert_eq!(setting(durable.url(), "synchronous_commit").await?, "on");
    let forgetful = Cluster::start(Durability::Forgetful).await?;
    assert_eq!(setting(&forgetful.url("postgres"), "fsync").await?, "off");
    Ok(())
}

#[tokio::test]
async fn a_cluster_keeps_its_data_and_urls_over_both_kinds_of_stop() -> Result<()> {
    let cluster = Cluster::start(Durability::Forgetful).await?;
    let url = cluster.create_database().await?;
    let mut connection = PgConnection::connect(&url).await?;
    connection.execute("CREATE TABLE kept (id integer)").await?;

    for how in [Stop::Fast, Stop::Immediate] {
        connection.execute("INSERT INTO kept VALUES (1)").await?;
        cluster.stop(how).await?;
        assert!(connection.execute("SELECT 1").await.is_err(), "{how:?}");
        assert!(PgConnection::connect(&url).await.is_err(), "{how:?}");
        assert!(cluster.stop(how).await.is_err(), "stopped twice: {how:?}");
        cluster.start_again().await?;
        connection = PgConnection::connect(&url).await?;
    }
    cluster.restart(Stop::Fast).await?;

    connection = PgConnection::connect(&url).await?;
    let rows: i64 = query_scalar("SELECT count(*) FROM kept")
        .fetch_one(&mut connection)
        .await?;
    assert_eq!(rows, 2);
    Ok(())
}

#[tokio::test]
async fn a_dropped_cluster_leaves_nothing() -> Result<()> {
    let cluster = Cluster::start(Durability::Forgetful).await?;
    let folder = cluster.folder.clone();
    assert!(folder.exists());
    drop(cluster);
    assert!(!folder.exists());
    Ok(())
}

const VICTIM: &str = "SYNC_TESTS_VICTIM";

/// Runs itself in a second process, which starts a cluster and is killed.
#[tokio::test]
async fn a_cluster_dies_with_a_killed_process() -> Result<()> {
    if env::var_os(VICTIM).is_some() {
        return be_the_victim().await;
    }
    let mut victim = Command::new(env::current_exe()?)
        .args([
            "--exact",
            "--nocapture",
            "postgres::tests::a_cluster_dies_with_a_killed_process",
        ])
        .env(VICTIM, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let folder = announced_folder(&mut victim);
    victim.kill()?;
    victim.wait()?;
    let folder = folder?;
    assert!(folder.is_absolute(), "{}", folder.display());
    wait_until_gone(&folder)
}

async fn be_the_victim() -> Result<()> {
    let cluster = Cluster::start(Durability::Forgetful).await?;
    eprintln!("folder={}", cluster.folder.display());
    // Until the other process kills this one, or is itself gone.
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

fn announced_folder(victim: &mut Child) -> Result<PathBuf> {
    let stderr = victim.stderr.take().context("no standard error")?;
    for line in BufReader::new(stderr).lines() {
        if let Some((_, folder)) = line?.split_once("folder=") {
            return Ok(folder.into());
        }
    }
    anyhow::bail!("the second process started no cluster")
}

fn wait_until_gone(folder: &Path) -> Result<()> {
    let begun = Instant::now();
    while folder.exists() {
        anyhow::ensure!(
            begun.elapsed() < Duration::from_secs(60),
            "{} stays",
            folder.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

async fn setting(url: &str, name: &str) -> Result<String> {
    let mut connection = PgConnection::connect(url).await?;
    let statement = format!("SHOW {name}");
    Ok(query_scalar(AssertSqlSafe(statement))
        .fetch_one(&mut connection)
        .await?)
}
