//! The app's own databases, of all three generations, become devices: nothing of them is lost, everything
//! reaches another device, and the app goes on with its own SQL.

mod copy;
mod generations;
mod killed;
mod oracle;
mod random;
mod servers;
mod unreadable;

use crate::binaries::{EMAIL, PASSWORD};
use anyhow::Result;
use sync_tests::{
    TestDb,
    account::{GENERATION_1, GENERATION_2, TODAYS_DATABASE},
    programs::{DeviceFile, ServerProgram},
};

const GENERATIONS: [&str; 3] = [GENERATION_1, GENERATION_2, TODAYS_DATABASE];

/// An account of its own.
fn account(db: &TestDb, email: &str) -> Result<()> {
    ServerProgram::add_user_to(db.url(), email, PASSWORD)?.with_code(0)?;
    Ok(())
}

/// Logs a database in to that account.
fn connect_to(device: &DeviceFile, url: &str, email: &str) -> Result<()> {
    device.connect(url, email, PASSWORD)?.with_code(0)?;
    Ok(())
}

/// Logs the app's database in, which adopts it.
fn connect(device: &DeviceFile, url: &str) -> Result<()> {
    device.connect(url, EMAIL, PASSWORD)?.with_code(0)?;
    Ok(())
}
