//! Whether the database file is what it was: a damaged one, or one that somebody has put in its place, must
//! not be pushed.

use std::{
    fs,
    path::{Path, PathBuf, absolute},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sync_core::Device;

use crate::{
    Adapter,
    database::failed,
    error::{AdapterError, FileProblem},
};

/// Files up to this size are looked through: some 3,000,000 rows, in a few seconds. `doctor` looks at any.
const LARGEST: u64 = 512 << 20;
/// What is known of an opened database file. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Soundness {
    path: PathBuf,
    /// Which file it was when it was opened, where the system tells.
    identity: Option<(u64, u64)>,
    /// Whether it has to be looked through before the next sync.
    unsure: Arc<AtomicBool>,
}

/// Whether somebody who had the database open did not close it, or still has it open.
pub(crate) fn is_left_open(path: &Path) -> bool {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    fs::metadata(wal).is_ok_and(|wal| wal.len() > 0)
}

impl Soundness {
    /// Of a database that has just been opened.
    pub(crate) fn of(path: &Path, was_left_open: bool) -> Self {
        Self {
            // Whoever has it open may go to another folder.
            path: absolute(path).unwrap_or_else(|_| path.to_owned()),
            identity: identity(path),
            unsure: Arc::new(AtomicBool::new(was_left_open)),
        }
    }

    async fn assure(&self, device: &Device) -> Result<(), AdapterError> {
        if self.identity != identity(&self.path) {
            return Err(self.is(FileProblem::Replaced, None));
        }
        if !self.unsure.load(Ordering::SeqCst) {
            return Ok(());
        }
        if fs::metadata(&self.path).is_ok_and(|file| file.len() <= LARGEST) {
            let damage = device.damage().await.map_err(|e| failed(&self.path, e))?;
            if let Some(damage) = damage {
                return Err(self.is(FileProblem::Damaged, Some(damage)));
            }
        }
        self.unsure.store(false, Ordering::SeqCst);
        Ok(())
    }

    fn is(&self, problem: FileProblem, why: Option<String>) -> AdapterError {
        AdapterError::File {
            path: self.path.clone(),
            problem,
            source: why.map(Into::into),
        }
    }
}

impl Adapter {
    /// Makes sure that the file is the one that was opened, and, where there is a doubt, that it is whole.
    ///
    /// # Errors
    /// If it is not; then nothing must be sent.
    pub(crate) async fn assure(&self) -> Result<(), AdapterError> {
        self.soundness.assure(self.device()).await
    }

    /// Has the file looked through before the next sync.
    pub(crate) fn doubt(&self) {
        self.soundness.unsure.store(true, Ordering::SeqCst);
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> Option<(u64, u64)> {
    // A file that is open cannot be replaced there.
    None
}
