//! Databases that stay open from run to run: opening one and reading its schema takes longer than a run.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, sqlx::Connection as _};
use tempfile::TempDir;

use super::{
    device::lock,
    template::{open, scratch},
};
use crate::schema::Side;

/// The databases of one thread.
pub(crate) struct Desk {
    folder: TempDir,
    idle: Mutex<Vec<File>>,
    made: AtomicU64,
}

/// An open database. All of one side have the same schema.
#[derive(Clone)]
pub(crate) struct File {
    side: Side,
    path: PathBuf,
    pub(crate) db: DatabaseConnection,
}

impl Desk {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            folder: scratch()?,
            idle: Mutex::default(),
            made: AtomicU64::new(0),
        })
    }

    /// A database that holds what these bytes of a file hold.
    pub(crate) async fn open(&self, side: Side, bytes: &[u8]) -> Result<File> {
        let idle = {
            let mut idle = lock(&self.idle);
            let at = idle.iter().position(|file| file.side == side);
            at.map(|at| idle.swap_remove(at))
        };
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        if let Some(file) = idle {
            overwrite(&file.path, bytes, number)?;
            return Ok(file);
        }
        let path = self.folder.path().join(number.to_string());
        fs::write(&path, bytes)?;
        let db = open(&path).await?;
        Ok(File { side, path, db })
    }

    /// Takes back a database that a run does not need any more.
    pub(crate) async fn put_back(&self, file: File) -> Result<()> {
        if file.is_at_rest().await {
            lock(&self.idle).push(file);
        } else {
            file.db.close().await?;
        }
        Ok(())
    }
}

impl File {
    /// Whether nothing goes on: what was cut off has been rolled back.
    pub(crate) async fn is_at_rest(&self) -> bool {
        if self.db.execute_unprepared("SELECT 1").await.is_err() {
            return false;
        }
        let connection = self.db.get_sqlite_connection_pool().acquire().await;
        connection.is_ok_and(|connection| !connection.is_in_transaction())
    }

    /// Closes it and opens it again.
    pub(crate) async fn reopen(&mut self) -> Result<()> {
        self.db.close_by_ref().await?;
        self.db = open(&self.path).await?;
        Ok(())
    }
}

/// By the file's change counter SQLite sees that the pages are others now, and by the schema's number, which
/// is the same, that prepared statements are still good. So the counter has to be one that the file never had.
fn overwrite(path: &Path, bytes: &[u8], number: u64) -> Result<()> {
    let mut bytes = bytes.to_vec();
    // More than any run writes.
    let counter = u32::try_from(number % 4_000)? * 1_000_000;
    for at in CHANGE_COUNTERS {
        let place = bytes.get_mut(at..at + 4).context("a database file")?;
        place.copy_from_slice(&counter.to_be_bytes());
    }
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&bytes)?;
    file.set_len(bytes.len() as u64)?;
    Ok(())
}

/// Where a database file's header counts changes, and where it says for which count its size holds.
const CHANGE_COUNTERS: [usize; 2] = [24, 92];
