//! Databases to begin with, made once and copied for every run: creating tables takes longer than a run.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, anyhow};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use tempfile::TempDir;

use super::{
    dump::Dump,
    edits::Editor,
    options::Options,
    oracles::texts,
    rng::Rng,
    server::{InProcess, Server, ServerSetup},
    setup::Setup,
};
use crate::{
    Clock, CountedIds, Device, Ids, ManualClock,
    device::Connection,
    schema::{Side, pin_clock},
};

/// The true time when every run begins, in milliseconds.
pub(crate) const BEGIN_MS: i64 = 1_795_000_000_000;

/// The bytes of database files.
pub(crate) struct Template {
    pub(crate) server: Vec<u8>,
    /// By account: a device that made the account's first rows, one that pulled them, one that has none.
    pub(crate) devices: Vec<[Vec<u8>; 3]>,
}

/// The number by which the server knows device number `device`.
pub(crate) fn peer(device: usize) -> i64 {
    i64::try_from(device).unwrap_or_default() + 1
}

impl Template {
    pub(crate) async fn make(setup: &Setup) -> Result<Self> {
        let folder = scratch()?;
        let clock = Arc::new(ManualClock::new(BEGIN_MS));
        let path = folder.path().join("server");
        let server = first_server(setup, &path, clock.clone()).await?;
        setup.read_catalogues(server.db()).await?;
        let empty = empty_device(setup, &folder.path().join("device"), clock.clone()).await?;
        let mut devices = Vec::new();
        for account in 0..setup.accounts.len() {
            let mut files = Vec::new();
            for role in 0..3_usize {
                let path = folder.path().join(format!("{account}-{role}"));
                let ids = CountedIds::new(u32::try_from(900 + account * 3 + role)?);
                std::fs::write(&path, &empty)?;
                let maker = Maker {
                    setup,
                    account,
                    role,
                    server: &server,
                };
                maker.make(&path, clock.clone(), Arc::new(ids)).await?;
                files.push(std::fs::read(&path)?);
            }
            devices.push(files.try_into().ok().context("three devices")?);
        }
        server.db().clone().close().await?;
        Ok(Self {
            server: std::fs::read(path)?,
            devices,
        })
    }
}

async fn first_server(setup: &Setup, path: &Path, clock: Arc<dyn Clock>) -> Result<InProcess> {
    let server = server_setup(setup, clock, 1_000);
    let db = open(path).await?;
    let broken = |error| anyhow!("{error}").context("the server");
    server.prepare(&db).await.map_err(broken)?;
    server.in_process(db).await.map_err(broken)
}

/// What a server is given, whose names are those of a space of their own.
pub(crate) fn server_setup(setup: &Setup, clock: Arc<dyn Clock>, names: u32) -> ServerSetup<'_> {
    ServerSetup {
        registry: setup.registry.clone(),
        clock,
        ids: Arc::new(CountedIds::new(names)),
        setup,
    }
}

/// What all devices begin with, so that all have the very same schema.
async fn empty_device(setup: &Setup, path: &Path, clock: Arc<dyn Clock>) -> Result<Vec<u8>> {
    let db = open(path).await?;
    setup.create(&db, Side::Device).await?;
    let ids = Arc::new(CountedIds::new(899));
    drop(Device::open(db.clone(), setup.registry.clone(), clock, ids).await?);
    db.close().await?;
    Ok(std::fs::read(path)?)
}

struct Maker<'a> {
    setup: &'a Setup,
    account: usize,
    role: usize,
    server: &'a InProcess,
}

impl Maker<'_> {
    async fn make(&self, path: &Path, clock: Arc<ManualClock>, ids: Arc<dyn Ids>) -> Result<()> {
        let (setup, account) = (self.setup, self.account);
        let db = open(path).await?;
        setup.add_account(&db, account).await?;
        let user = setup.accounts[account].id.clone();
        let device = Device::installed(db.clone(), setup.registry.clone(), clock, ids);
        pin_clock(&db, Some(BEGIN_MS)).await?;
        device.connect(&connection(&user)).await?;
        let number = peer(1_000 + self.role);
        let transport = self.server.transport(&user, number).await;
        let transport = transport.map_err(|error| anyhow!("{error}"))?;
        match self.role {
            0 => {
                self.write_first_rows(&db).await?;
                let first = device.sync(&*transport, &|_| {}).await;
                first.context("the first sync of all failed")?;
            }
            1 => {
                move_ids(setup, &db).await?;
                device.sync(&*transport, &|_| {}).await?;
            }
            _ => {}
        }
        Ok(db.close().await?)
    }

    /// One or two rows of every table, the same in every simulation of these tables.
    async fn write_first_rows(&self, db: &DatabaseConnection) -> Result<()> {
        let account = &self.setup.accounts[self.account];
        let options = Options::default();
        let (mut dump, mut number) = (Dump::default(), 0);
        for (nth, table) in self.setup.tables.iter().enumerate() {
            if table.unwritable().is_some() {
                continue;
            }
            for row in 0..=(nth % 2) {
                let mut editor = Editor {
                    rng: Rng::new((nth * 2 + row) as u64),
                    dump: &dump,
                    user: &account.id,
                    author: format!("{}.first", account.label),
                    number,
                    now_ms: BEGIN_MS,
                    backend: DbBackend::Sqlite,
                    options: &options,
                    setup: self.setup,
                };
                let insert = editor.insert_into(table);
                number = editor.number;
                // The second may have the key of the first.
                let Some(insert) = insert else { continue };
                match db.execute_unprepared(&insert.sql).await {
                    Err(error) if row == 0 => {
                        return Err(anyhow!(error).context(format!("a first row: {}", insert.sql)));
                    }
                    _ => {}
                }
                dump = self.setup.dump(db).await?;
            }
        }
        Ok(())
    }
}

/// Moves a device's ids ahead where its tables count them, so that no two tables of two devices agree by
/// accident.
async fn move_ids(setup: &Setup, db: &DatabaseConnection) -> Result<()> {
    let counts = "SELECT name AS text FROM sqlite_master WHERE type = 'table' AND upper(sql) LIKE '%AUTOINCREMENT%'";
    let counts = texts(db, counts).await?;
    for (number, table) in setup.tables.iter().enumerate() {
        if counts.iter().any(|name| name == table.name) {
            let (name, seq) = (table.name, (number + 1) * 10);
            let sql = format!("INSERT INTO sqlite_sequence (name, seq) VALUES ('{name}', {seq})");
            db.execute_unprepared(&sql).await?;
        }
    }
    Ok(())
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

/// Opens a file that nobody else has open, and does not wait for the disk: what is simulated is a program
/// that ends, not a computer that does.
pub(crate) async fn open(path: &Path) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    options
        .max_connections(1)
        // No run lasts that long, and no task is to look after it.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| {
            options
                .journal_mode(SqliteJournalMode::Memory)
                .synchronous(SqliteSynchronous::Off)
                .statement_cache_capacity(1_000)
                .foreign_keys(true)
        });
    Ok(Database::connect(options).await?)
}
