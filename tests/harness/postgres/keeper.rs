//! The process between us and one cluster, which clears up after us.
//!
//! A destructor is no use against `abort`, a signal or the statics of a test
//! process. So a small shell script owns the cluster and reads a pipe that only
//! we hold: the system closes it when we die, however we die.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::programs::User;

pub(super) struct Keeper {
    folder: PathBuf,
    /// Taken only when the keeper is to end.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    process: Child,
}

impl Keeper {
    /// From here on the folder is the keeper's to remove.
    pub(super) fn start(programs: &Path, folder: &Path, user: Option<User>) -> Result<Self> {
        let mut process = command(programs, folder, user)
            .spawn()
            .context("cannot start the shell that minds Postgres")?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (orders, answers) = pipes.context("the shell that minds Postgres has no pipes")?;
        Ok(Self {
            folder: folder.to_owned(),
            orders: Some(orders),
            answers: BufReader::new(answers),
            process,
        })
    }

    /// Has one order of `keeper.sh` carried out and waits for it.
    pub(super) fn order(&mut self, order: &str) -> Result<()> {
        let answer = self.ask(order).context("the keeper of Postgres is gone")?;
        if answer.trim() == "0" {
            return Ok(());
        }
        bail!("Postgres did not {order}:\n{}", self.said());
    }

    fn ask(&mut self, order: &str) -> io::Result<String> {
        let orders = self.orders.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(orders, "{order}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(answer)
    }

    /// What the programs and the server wrote, to explain a failure.
    fn said(&self) -> String {
        ["keeper.log", "server.log"]
            .iter()
            .filter_map(|log| fs::read_to_string(self.folder.join(log)).ok())
            .collect()
    }
}

impl Drop for Keeper {
    /// Waits, so that nothing of the cluster is left afterwards.
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Err(error) = self.process.wait() {
            eprintln!("the keeper of {} was lost: {error}", self.folder.display());
        }
    }
}

fn command(programs: &Path, folder: &Path, user: Option<User>) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", include_str!("keeper.sh"), "keeper"])
        .args([programs, folder])
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A group of its own: Ctrl-C is for us, and then the keeper clears up.
        .process_group(0);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}
