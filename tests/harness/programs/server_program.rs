//! `zentrio-server`, serving on a port of the system's choice.

use std::{net::SocketAddr, process::Command, sync::mpsc};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Ended, PATIENCE, Program, Started};

/// A server that runs, killed with this value.
#[derive(Debug)]
pub struct ServerProgram {
    /// Where it listens.
    pub address: SocketAddr,
    database_url: String,
    process: Started,
}

impl ServerProgram {
    /// Starts one on a database, and waits until it listens.
    ///
    /// # Errors
    /// If it does not come to listen.
    pub fn start(database_url: &str) -> Result<Self> {
        Self::start_at(database_url, "127.0.0.1:0")
    }

    /// Starts another one on the same database at the same address, as a service manager does.
    ///
    /// # Errors
    /// If it does not come to listen.
    pub fn start_again(database_url: &str, address: SocketAddr) -> Result<Self> {
        Self::start_at(database_url, &address.to_string())
    }

    /// Starts one with more flags, and with `log` to be logged.
    ///
    /// # Errors
    /// If it does not come to listen.
    pub fn start_with(database_url: &str, flags: &[&str], log: &str) -> Result<Self> {
        let mut command = Program::Server.command()?;
        command.args(["--database-url", database_url, "--listen", "127.0.0.1:0"]);
        command.args(flags).env("ZENTRIO_LOG", log);
        Self::started(command, database_url)
    }

    /// Starts one that has no more than so many files and connections open at once.
    ///
    /// # Errors
    /// If it does not come to listen.
    pub fn start_with_files(database_url: &str, files: u32) -> Result<Self> {
        let program = Program::Server.command()?;
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={files}:{files}"));
        command.arg(program.get_program());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.args(["--database-url", database_url, "--listen", "127.0.0.1:0"]);
        Self::started(command, database_url)
    }

    fn start_at(database_url: &str, listen: &str) -> Result<Self> {
        let mut command = Program::Server.command()?;
        command.args(["serve", "--database-url", database_url, "--listen", listen]);
        Self::started(command, database_url)
    }

    fn started(mut command: Command, database_url: &str) -> Result<Self> {
        let (tell, told) = mpsc::channel();
        let mut process = Started::watched(&mut command, "", move |line| {
            if let Some(url) = line.strip_prefix("listening on http://") {
                // Nobody waits for the second line.
                let _ = tell.send(url.trim_end().to_owned());
            }
        })?;
        let Ok(address) = told.recv_timeout(PATIENCE) else {
            let running = process.is_running()?;
            anyhow::bail!(
                "the server does not listen (running: {running}): {}",
                process.said()
            );
        };
        let address = address
            .parse()
            .with_context(|| format!("`{address}` is no address"))?;
        Ok(Self {
            address,
            database_url: database_url.to_owned(),
            process,
        })
    }

    /// Its address for devices.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds an account while it runs.
    ///
    /// # Errors
    /// If the program does not end well.
    pub fn add_user(&self, email: &str, password: &str) -> Result<Value> {
        Self::add_user_to(&self.database_url, email, password)?
            .with_code(0)?
            .json()
    }

    /// The same on a database, whether a server runs on it or not.
    ///
    /// # Errors
    /// If the program cannot be run.
    pub fn add_user_to(database_url: &str, email: &str, password: &str) -> Result<Ended> {
        let mut command = Program::Server.command()?;
        command.args([
            "--database-url",
            database_url,
            "user",
            "add",
            email,
            "--password-stdin",
            "--json",
        ]);
        Started::new(&mut command, &format!("{password}\n"))?.ended()
    }

    /// What it has said so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.process.said()
    }

    /// Asks it to end and waits for that.
    ///
    /// # Errors
    /// If it does not end well.
    pub fn stop(self) -> Result<Ended> {
        self.process.terminate()?.with_code(0)
    }

    /// Kills it in the middle of what it does.
    ///
    /// # Errors
    /// If it has ended before.
    pub fn kill(self) -> Result<Ended> {
        self.process.kill()
    }
}
