//! Databases to begin with, made once and copied for every run: migrating takes longer than a run.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use sync_core::{
    Clock, CountedIds, Device, Ids, ManualClock,
    device::Connection,
    planted::{Bug, planted_bug},
    schema::pin_clock,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{edits::ADDONS, plan::N_ACCOUNTS};
use crate::{Backend, InProcessServer, TestDb};

/// The true time when every run begins, in milliseconds.
pub(crate) const BEGIN_MS: i64 = 1_795_000_000_000;

/// The bytes of database files.
pub(crate) struct Template {
    pub(crate) server: Vec<u8>,
    /// By account: a device that made the account's first rows, one that pulled them, one that has none.
    pub(crate) devices: Vec<[Vec<u8>; 3]>,
}

/// What is there when a run begins, of each account.
const FIRST_ROWS: &str = "
    INSERT INTO settings_profiles (user_id, name, created_at) VALUES ('{user}', '{user}.first.1', '{now}');
    INSERT INTO profiles (user_id, name, avatar, settings_profile_id, created_at) VALUES
      ('{user}', '{user}.first.2', '{user}.first.3', 1, '{now}'), ('{user}', '{user}.first.4', '{user}.first.5', NULL, '{now}');
    INSERT INTO lists (profile_id, name, created_at) VALUES (1, 'list 0', '{now}'), (2, 'list 1', '{now}');
    INSERT INTO list_items (list_id, meta_id, type, title, created_at) VALUES (1, 'tt0', 'movie', '{user}.first.6', '{now}');
    INSERT INTO watch_history (profile_id, meta_id, meta_type, title, position) VALUES (1, 'tt1', 'movie', '{user}.first.7', 60);
    INSERT INTO stream_settings (settings_profile_id, qualities) VALUES (1, '{user}.first.8')";

/// How far a device's ids are ahead, so that no two tables of two devices agree by accident.
const OTHER_IDS: &str = "
    INSERT INTO sqlite_sequence (name, seq) VALUES ('settings_profiles', 40), ('profiles', 30), ('lists', 20),
      ('list_items', 50), ('watch_history', 60), ('stream_settings', 10), ('profile_addons', 70), ('appearance_settings', 80)";

/// The name of account number `account`.
pub(crate) fn user(account: usize) -> String {
    format!("u{}", account + 1)
}

/// The number by which the server knows device number `device`.
pub(crate) fn peer(device: usize) -> i64 {
    i64::try_from(device).unwrap_or_default() + 1
}

impl Template {
    /// Made at the first asking.
    pub(crate) async fn get() -> Result<&'static Self> {
        static TEMPLATE: OnceCell<Template> = OnceCell::const_new();
        static PLANTED: OnceCell<Template> = OnceCell::const_new();
        let template = match planted_bug() {
            Some(Bug::PlainUniqueIndex) => &PLANTED,
            _ => &TEMPLATE,
        };
        template.get_or_try_init(Self::make).await
    }

    async fn make() -> Result<Self> {
        let folder = scratch()?;
        let clock = Arc::new(ManualClock::new(BEGIN_MS));
        let server = server(TestDb::new(Backend::Sqlite).await?, None, clock.clone()).await?;
        let mut devices = Vec::new();
        for account in 0..N_ACCOUNTS {
            let mut files = Vec::new();
            for role in 0..3_usize {
                let path = folder.path().join(format!("{account}-{role}"));
                let ids = CountedIds::new(u32::try_from(900 + account * 3 + role)?);
                make_device(&path, account, role, clock.clone(), Arc::new(ids), &server).await?;
                files.push(std::fs::read(&path)?);
            }
            devices.push(files.try_into().ok().context("three devices")?);
        }
        server
            .db
            .execute_unprepared("PRAGMA journal_mode = DELETE")
            .await?;
        let file = server.database().file().context("a file")?;
        server.db.clone().close().await?;
        Ok(Self {
            server: std::fs::read(file)?,
            devices,
        })
    }
}

/// A server with the accounts and addons of every run; its file is a copy, if one is given.
pub(crate) async fn server(
    database: TestDb,
    file: Option<&[u8]>,
    clock: Arc<dyn Clock>,
) -> Result<InProcessServer> {
    let ids = Arc::new(CountedIds::new(1_000));
    let db = match (database.file(), file) {
        (Some(path), Some(bytes)) => {
            std::fs::write(&path, bytes)?;
            open(&path).await?
        }
        (Some(path), None) => open(&path).await?,
        (None, _) => database.connect().await?,
    };
    if file.is_some() {
        return InProcessServer::with(database, db, entity::registry()?, clock, ids).await;
    }
    migration::up(&db, migration::Side::Server).await?;
    let server = InProcessServer::with(database, db, entity::registry()?, clock, ids).await?;
    for account in 0..N_ACCOUNTS {
        server.add_user(&user(account)).await?;
    }
    add_addons(&server.db).await?;
    Ok(server)
}

async fn make_device(
    path: &Path,
    account: usize,
    role: usize,
    clock: Arc<ManualClock>,
    ids: Arc<dyn Ids>,
    server: &InProcessServer,
) -> Result<()> {
    let db = open(path).await?;
    migration::up(&db, migration::Side::Device).await?;
    add_addons(&db).await?;
    let user = user(account);
    db.execute_unprepared(&format!(
        "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
         VALUES ('{user}', '{user}@example.com', '{user}', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    ))
    .await?;
    let device = Device::open(db.clone(), entity::registry()?, clock, ids).await?;
    pin_clock(&db, Some(BEGIN_MS)).await?;
    device.connect(&connection(&user)).await?;
    let transport = server.transport(&user, peer(1_000 + role));
    match role {
        0 => {
            let rows = FIRST_ROWS
                .replace("{user}", &user)
                .replace("{now}", "2026-01-01 00:00:00");
            db.execute_unprepared(&rows).await?;
            device.sync(&*transport, &|_| {}).await?;
        }
        1 => {
            db.execute_unprepared(OTHER_IDS).await?;
            device.sync(&*transport, &|_| {}).await?;
        }
        _ => {}
    }
    db.execute_unprepared("PRAGMA journal_mode = DELETE")
        .await?;
    Ok(db.close().await?)
}

fn connection(user: &str) -> Connection {
    Connection {
        remote_url: "http://server.test".to_owned(),
        remote_user_id: user.to_owned(),
        email: None,
        auth_token: "sealed".to_owned(),
        local_user_id: user.to_owned(),
    }
}

async fn add_addons(db: &DatabaseConnection) -> Result<()> {
    for url in &ADDONS[1..] {
        let sql = format!(
            "INSERT INTO addons (manifest_url, name, created_at) VALUES ('{url}', 'An addon', '2026-01-01 00:00:00')"
        );
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// A folder in memory, where there is such a thing.
pub(crate) fn scratch() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(folder) = tempfile::tempdir_in(memory)
    {
        return Ok(folder);
    }
    Ok(tempfile::tempdir()?)
}

/// Opens a file as an app does, but does not wait for the disk: what is simulated is a program that
/// ends, not a computer that does.
pub(crate) async fn open(path: &Path) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    options
        .max_connections(1)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| {
            use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
            options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Off)
                .foreign_keys(true)
        });
    Ok(Database::connect(options).await?)
}
