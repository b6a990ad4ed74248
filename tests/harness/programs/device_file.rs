//! A device: a file, `zentrio` to sync it, and `sqlite3` in the role of the app.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use sea_orm::DatabaseConnection;
use serde_json::Value;
use tempfile::TempDir;

use super::{Ended, Program, Started};
use crate::device::open;

/// A device's database file, and the programs that work on it.
pub struct DeviceFile {
    folder: TempDir,
    said: RefCell<String>,
}

impl DeviceFile {
    /// One that nobody has made yet.
    ///
    /// # Errors
    /// If there is no room.
    pub fn missing() -> Result<Self> {
        Ok(Self {
            folder: TempDir::with_prefix("sync-test-")?,
            said: RefCell::default(),
        })
    }

    /// One that the app has made, with this SQL.
    ///
    /// # Errors
    /// If `sqlite3` is missing, or does not take the SQL.
    pub fn of_the_app(sql: &str) -> Result<Self> {
        let this = Self::missing()?;
        this.sql(sql)?;
        Ok(this)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("app.sqlite")
    }

    /// The copy of it that is kept before it is adopted.
    #[must_use]
    pub fn copy(&self) -> PathBuf {
        self.folder.path().join("app.sqlite.before-sync")
    }

    /// Runs `zentrio --database FILE ARGS`.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn zentrio(&self, args: &[&str]) -> Result<Ended> {
        self.zentrio_told(args, "")
    }

    /// The same with something on its stdin.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn zentrio_told(&self, args: &[&str], stdin: &str) -> Result<Ended> {
        let ended = Started::new(&mut self.command(args)?, stdin)?.ended()?;
        self.heard(&ended);
        Ok(ended)
    }

    /// The same, not waiting for its end.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn start_zentrio(&self, args: &[&str]) -> Result<Started> {
        Started::new(&mut self.command(args)?, "")
    }

    /// Runs it under another program, which is given the whole command.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn zentrio_under(&self, outer: &[&str], args: &[&str]) -> Result<Ended> {
        let inner = self.command(args)?;
        let mut words = outer.iter();
        let mut command = Command::new(words.next().context("a program")?);
        command
            .args(words)
            .arg(inner.get_program())
            .args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let ended = Started::new(&mut command, "")?.ended()?;
        self.heard(&ended);
        Ok(ended)
    }

    /// Logs in.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn connect(&self, url: &str, email: &str, password: &str) -> Result<Ended> {
        let args = [
            "connect",
            "--url",
            url,
            "--email",
            email,
            "--password-stdin",
            "--json",
        ];
        self.zentrio_told(&args, &format!("{password}\n"))
    }

    /// Syncs, and gives what it printed.
    ///
    /// # Errors
    /// If that does not end well.
    pub fn sync(&self) -> Result<Value> {
        self.zentrio(&["sync", "--json"])?.with_code(0)?.json()
    }

    /// Asks where it stands.
    ///
    /// # Errors
    /// If that does not end well.
    pub fn status(&self) -> Result<Value> {
        self.zentrio(&["status", "--json"])?.with_code(0)?.json()
    }

    /// Runs SQL as the app does, by a program that knows nothing of sync; gives what it prints.
    ///
    /// # Errors
    /// If `sqlite3` is missing, or what it says.
    pub fn sql(&self, sql: &str) -> Result<String> {
        sqlite3(&self.path(), sql)
    }

    /// Everything in the file, as SQL.
    ///
    /// # Errors
    /// What `sqlite3` says.
    pub fn dump(&self) -> Result<String> {
        self.sql(".dump")
    }

    /// The bytes of the file and of those beside it, but for the key file.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for entry in fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "key") {
                bytes.extend(fs::read(path)?);
            }
        }
        Ok(bytes)
    }

    /// Opens it, to look at what is stored.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub async fn open(&self) -> Result<DatabaseConnection> {
        open(&format!("sqlite://{}", self.path().display())).await
    }

    /// All that `zentrio` has said about this file.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.borrow().clone()
    }

    /// Notes what a `zentrio` said that a test has started itself.
    pub fn heard(&self, ended: &Ended) {
        let mut said = self.said.borrow_mut();
        said.push_str(&ended.stdout);
        said.push_str(&ended.stderr);
    }

    fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = Program::Device.command()?;
        command.arg("--database").arg(self.path()).args(args);
        Ok(command)
    }
}

/// Runs SQL on a file by the program `sqlite3`.
///
/// # Errors
/// If it is missing, or what it says.
pub fn sqlite3(path: &Path, sql: &str) -> Result<String> {
    let mut command = Command::new("sqlite3");
    command
        .args([
            "-batch",
            "-bail",
            "-cmd",
            ".timeout 10000",
            "-cmd",
            "PRAGMA foreign_keys = ON",
        ])
        .arg(path);
    let ended = Started::new(&mut command, sql)
        .context("the tests need `sqlite3`: install it")?
        .ended()?;
    ensure!(
        ended.code == Some(0) && ended.stderr.is_empty(),
        "{sql}: {ended:?}"
    );
    Ok(ended.stdout.trim_end().to_owned())
}
