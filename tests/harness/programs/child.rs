//! A program that runs, killed with this value, and what it said.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What a program said on one of its outputs, so far.
type Said = Arc<Mutex<String>>;

/// A program that runs.
#[derive(Debug)]
pub struct Started {
    child: Child,
    /// What was run, for messages.
    what: String,
    stdout: Said,
    stderr: Said,
    readers: Vec<JoinHandle<io::Result<()>>>,
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended; none if it was killed.
    pub code: Option<i32>,
    /// What killed it.
    pub signal: Option<i32>,
    /// What it said on stdout.
    pub stdout: String,
    /// What it said on stderr.
    pub stderr: String,
    what: String,
}

impl Started {
    /// Starts a program, with this on its stdin.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn new(command: &mut Command, stdin: &str) -> Result<Self> {
        Self::watched(command, stdin, |_| {})
    }

    /// The same; `watch` is told each line of its stderr.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn watched(
        command: &mut Command,
        stdin: &str,
        watch: impl FnMut(&str) + Send + 'static,
    ) -> Result<Self> {
        let what = format!("{command:?}");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {what}"))?;
        if let Some(mut pipe) = child.stdin.take() {
            // Who does not want it ends without reading it.
            let _ = pipe.write_all(stdin.as_bytes());
        }
        let (stdout, stderr) = (Said::default(), Said::default());
        let mut readers = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            readers.push(read(pipe, stdout.clone(), |_| {}));
        }
        if let Some(pipe) = child.stderr.take() {
            readers.push(read(pipe, stderr.clone(), watch));
        }
        Ok(Self {
            child,
            what,
            stdout,
            stderr,
            readers,
        })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub fn ended(mut self) -> Result<Ended> {
        let status = self.child.wait()?;
        self.after(status)
    }

    /// Kills it, without a chance to tidy up.
    ///
    /// # Errors
    /// If it has ended before.
    pub fn kill(mut self) -> Result<Ended> {
        self.child.kill()?;
        let status = self.child.wait()?;
        let ended = self.after(status)?;
        ensure!(
            ended.signal == Some(libc::SIGKILL),
            "it had ended before it was killed: {ended:?}"
        );
        Ok(ended)
    }

    /// Asks it to end, as a service manager does, and waits for that.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub fn terminate(self) -> Result<Ended> {
        let id = self.child.id().to_string();
        let asked = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .context("cannot run `kill`")?;
        ensure!(asked.success(), "{} cannot be asked to end", self.what);
        self.ended()
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// If that cannot be told.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// What it has said so far on both outputs.
    #[must_use]
    pub fn said(&self) -> String {
        take(&self.stdout) + &take(&self.stderr)
    }

    fn after(&mut self, status: ExitStatus) -> Result<Ended> {
        for reader in self.readers.drain(..) {
            let read = reader
                .join()
                .map_err(|_| anyhow::anyhow!("a reader panicked"))?;
            read.with_context(|| format!("cannot read what {} says", self.what))?;
        }
        Ok(Ended {
            code: status.code(),
            signal: status.signal(),
            stdout: take(&self.stdout),
            stderr: take(&self.stderr),
            what: self.what.clone(),
        })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Checks how it ended.
    ///
    /// # Errors
    /// With all it said, if it ended otherwise.
    pub fn with_code(self, code: i32) -> Result<Self> {
        ensure!(
            self.code == Some(code),
            "{} should have ended with {code}: {self:#?}",
            self.what
        );
        Ok(self)
    }

    /// The one JSON object that it printed.
    ///
    /// # Errors
    /// If stdout is anything else than one JSON object on a line.
    pub fn json(&self) -> Result<Value> {
        let value: Value =
            serde_json::from_str(&self.stdout).with_context(|| format!("no JSON: {self:#?}"))?;
        let is_one_line = self.stdout.ends_with('\n') && self.stdout.lines().count() == 1;
        ensure!(
            value.is_object() && is_one_line,
            "not one JSON object on one line: {self:#?}"
        );
        Ok(value)
    }
}

fn read(
    pipe: impl Read + Send + 'static,
    said: Said,
    mut watch: impl FnMut(&str) + Send + 'static,
) -> JoinHandle<io::Result<()>> {
    thread::spawn(move || {
        let mut lines = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let line = String::from_utf8_lossy(&line);
            said.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&line);
            watch(&line);
        }
    })
}

fn take(said: &Said) -> String {
    said.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
