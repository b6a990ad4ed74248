//! A database file that is damaged, or that is not the one that was opened.

use std::{
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use app_adapter::{CloudSync, Environment, Page, PageOptions};
use sea_orm::ConnectionTrait;
use sync_tests::{
    background::until,
    programs::{DeviceFile, sqlite3},
    raw_http::Raw,
};

use super::{Device, EMAIL, PASSWORD, server};

/// Writes over a page of a table in which only its rows are.
fn damage(file: &Path, table: &str) -> Result<()> {
    sqlite3(file, "PRAGMA wal_checkpoint(TRUNCATE)")?;
    let page = sqlite3(
        file,
        &format!("SELECT rootpage FROM sqlite_master WHERE name = '{table}'"),
    )?;
    let size = sqlite3(file, "PRAGMA page_size")?;
    let (page, size): (u64, u64) = (page.parse()?, size.parse()?);
    let mut file = OpenOptions::new().write(true).open(file)?;
    file.seek(SeekFrom::Start((page - 1) * size))?;
    file.write_all(&vec![0xff; usize::try_from(size)?])?;
    Ok(())
}

async fn open(file: &Path) -> Result<(CloudSync, Page)> {
    let environment = Environment {
        keyring: None,
        ..Environment::default()
    };
    let sync = CloudSync::open_in(file, environment).await?;
    let options = PageOptions {
        listen: "127.0.0.1:0".parse()?,
        allowed_origins: Vec::new(),
        secret_beside: None,
    };
    let page = Page::serve(sync.clone(), options).await?;
    Ok((sync, page))
}

async fn says(page: &Page, words: &str) -> Result<()> {
    let url = page.url();
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let answer = Raw::new(address.parse()?, "GET", "/").send().await?;
    ensure!(answer.body.contains(words), "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l18_nothing_of_a_damaged_file_is_sent() -> Result<()> {
    let (db, server) = server().await?;
    let device = Device::connected(&server).await?;
    device.add_profile("Zoë").await?;
    device.until_synced().await?;
    device.sync.stop().await;
    device.add_profile("Mia").await?;
    device.app.clone().close().await?;
    let file = device.file();
    damage(&file, "stream_settings")?;

    let (sync, page) = open(&file).await?;
    let status = until(&sync, "it is told", |s| s.problem.is_some()).await?;
    let problem = status.problem.context("no problem")?;
    ensure!(problem.code == "damaged", "{problem:?}");
    let error = sync.sync_now().await.err().context("it synced")?;
    ensure!(error.word() == "damaged", "{error}");
    says(&page, "The database on this device is damaged.").await?;
    let at_server = sqlite3(&db.file().context("no file")?, "SELECT name FROM profiles")?;
    ensure!(at_server == "Zoë", "{at_server}");
    page.stop().await;
    sync.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l18_a_file_that_was_put_in_its_place_is_not_mistaken_for_it() -> Result<()> {
    let (_db, server) = server().await?;
    let device = Device::connected(&server).await?;
    device.until_synced().await?;
    let copy = device.file().with_extension("copy");
    fs::copy(device.file(), &copy)?;
    device.add_profile("Zoë").await?;
    fs::rename(&copy, device.file())?;
    let error = device.sync.sync_now().await.err().context("it synced")?;
    ensure!(error.word() == "replaced", "{error}");
    says(&device.page, "Another file has been put in the place").await?;
    Ok(())
}

/// Where somebody crashed, also a command looks before it sends anything.
#[tokio::test(flavor = "multi_thread")]
async fn l18_what_was_not_closed_is_looked_through_by_commands() -> Result<()> {
    let (_db, server) = server().await?;
    let file = DeviceFile::missing()?;
    file.connect(&server.url(), EMAIL, PASSWORD)?.with_code(0)?;
    file.sync()?;
    damage(&file.path(), "stream_settings")?;
    // A program that has written and goes on to have it open.
    let other = file.open().await?;
    other
        .execute_unprepared("UPDATE profiles SET avatar = 'z'; CREATE TABLE mine (id integer)")
        .await?;
    for command in ["status", "sync"] {
        let told = file.zentrio(&[command, "--json"])?.with_code(7)?.json()?;
        ensure!(told["error"]["code"] == "damaged", "{command}: {told}");
    }
    Ok(())
}
