//! Where a cluster is put: in memory if it may be, for a third of the time.

use std::{env, os::unix::fs::MetadataExt, path::Path, process::Command};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::Durability;

const MEMORY: &str = "/dev/shm";

/// A container often has 64 MB of it, which does not hold two clusters.
const ROOM_KIB: u64 = 2 << 20;

/// Makes an empty folder for a cluster that promises so much.
pub(super) fn make(durability: Durability) -> Result<TempDir> {
    let temporary = env::temp_dir();
    let memory = Path::new(MEMORY);
    let parent = if durability == Durability::Forgetful && has_room(memory) {
        memory
    } else if is_suitable(&temporary) {
        &temporary
    } else {
        Path::new("/tmp")
    };
    tempfile::Builder::new()
        .prefix("sync-pg-")
        .tempdir_in(parent)
        .with_context(|| format!("cannot make a folder for Postgres in {}", parent.display()))
}

/// A socket's whole path has to fit in about 100 bytes, and who runs Postgres
/// for root has to get there.
fn is_suitable(parent: &Path) -> bool {
    let is_open = |folder: &Path| {
        folder
            .metadata()
            .is_ok_and(|found| found.mode() & 0o001 != 0)
    };
    parent.as_os_str().len() < 60 && parent.ancestors().all(is_open)
}

fn has_room(parent: &Path) -> bool {
    is_suitable(parent) && free_kib(parent).is_some_and(|free| free >= ROOM_KIB)
}

/// The fourth column of the second line, as POSIX has it.
fn free_kib(parent: &Path) -> Option<u64> {
    let told = Command::new("df").arg("-Pk").arg(parent).output().ok()?;
    let table = String::from_utf8(told.stdout).ok()?;
    table
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()
}
