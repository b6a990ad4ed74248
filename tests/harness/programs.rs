//! The two programs as people run them, and `sqlite3` in the role of the app.
//!
//! All of it blocks: the programs are processes of their own, so nothing of a test has to go on meanwhile.

mod built;
mod child;
mod device_file;
mod server_program;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

pub use self::{
    built::{Program, environment},
    child::{Ended, Started},
    device_file::{DeviceFile, sqlite3},
    server_program::ServerProgram,
};

/// How long a test waits for what must come. Machines that build and test at once are slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something holds that another process brings about. `what` is told if it never does.
///
/// # Errors
/// If it never does, or cannot be told.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !holds().await? {
        ensure!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        // Another process cannot wake this one up.
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
