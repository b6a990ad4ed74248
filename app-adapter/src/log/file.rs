//! The file: written line by line, private, never larger than it should be.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sync_core::{Clock, Millis, SystemClock};

use super::Happened;
use crate::key_file::private;

/// How large the file may become before it is put away.
const MOST_BYTES: u64 = 1 << 20;
/// What a line begins with, so that a file of somebody else is not written to.
const MARK: &[u8] = b"{\"at\":\"";

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When, by this device's clock.
    pub(crate) at: Millis,
    /// By which command.
    pub(crate) by: String,
    /// What.
    #[serde(flatten)]
    pub(crate) happened: Happened,
}

/// The log of one database, in a private file beside it, as one program writes it. Cheap to clone.
///
/// An app that wants what its [`CloudSync`](crate::CloudSync) does to be told by `zentrio logs` spawns
/// [`SyncLog::follow`].
#[derive(Clone)]
pub struct SyncLog {
    path: PathBuf,
    by: &'static str,
    clock: Arc<dyn Clock>,
}

impl SyncLog {
    /// That of the database `path`; lines tell that they are `by` this program.
    pub fn beside(path: &Path, by: &'static str) -> Self {
        Self {
            path: path_beside(path),
            by,
            clock: Arc::new(SystemClock),
        }
    }

    /// Adds a line, or does without.
    pub(crate) fn write(&self, happened: Happened) {
        let entry = Entry {
            at: Millis(self.clock.now_ms()),
            by: self.by.to_owned(),
            happened,
        };
        if let Err(error) = self.append(&entry) {
            tracing::debug!(%error, "the log is not written");
        }
    }

    fn append(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if !is_ours(&self.path)? {
            return Err(io::Error::other("another file of this name is there"));
        }
        if fs::metadata(&self.path).is_ok_and(|file| file.len() >= MOST_BYTES) {
            fs::rename(&self.path, older(&self.path))?;
        }
        let mut options = OpenOptions::new();
        // In one piece, so that programs that write at the same time do not tear each other's lines.
        private(options.append(true).create(true))
            .open(&self.path)?
            .write_all(&line)
    }
}

/// Where the log of a database is.
pub(crate) fn path_beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".log");
    name.into()
}

/// Where its older part is.
pub(crate) fn older(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// Whether there is no such file yet, or one that was written here. Links are not followed.
pub(crate) fn is_ours(log: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(log) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(e) => return Err(e),
        Ok(file) if !file.is_file() => return Ok(false),
        Ok(file) if file.len() == 0 => return Ok(true),
        Ok(_) => {}
    }
    let mut begins = Vec::new();
    File::open(log)?
        .take(MARK.len() as u64)
        .read_to_end(&mut begins)?;
    Ok(begins == MARK)
}

/// The lines that can be read; the last of them may be cut off.
pub(crate) fn entries(text: &[u8]) -> impl Iterator<Item = Entry> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok())
}

#[cfg(test)]
mod tests {
    use sync_core::ManualClock;

    use super::*;

    fn log(folder: &Path) -> SyncLog {
        SyncLog {
            clock: Arc::new(ManualClock::new(1_767_323_045_678)),
            ..SyncLog::beside(&folder.join("app.sqlite"), "sync")
        }
    }

    #[test]
    fn a_line_is_written_for_the_owner_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let log = log(folder.path());
        log.write(Happened::Offline);
        log.write(Happened::NeedsLogin);
        let text = fs::read(&log.path).expect("log");
        let read: Vec<Happened> = entries(&text).map(|entry| entry.happened).collect();
        assert_eq!(read, [Happened::Offline, Happened::NeedsLogin]);
        let first = String::from_utf8_lossy(&text);
        let wanted =
            "{\"at\":\"2026-01-02T03:04:05.678Z\",\"by\":\"sync\",\"event\":\"offline\"}\n";
        assert!(first.starts_with(wanted), "{first}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&log.path).expect("log").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_large_log_is_put_away_and_one_older_is_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let log = log(folder.path());
        for fill in ["x", "y"] {
            log.write(Happened::Offline);
            let line = format!("{}\n", fill.repeat(MOST_BYTES as usize));
            let mut options = OpenOptions::new();
            let mut file = options.append(true).open(&log.path).expect("log");
            file.write_all(line.as_bytes()).expect("filled");
        }
        log.write(Happened::NeedsChoice);
        let text = fs::read(&log.path).expect("log");
        assert_eq!(entries(&text).count(), 1);
        let old = fs::read(older(&log.path)).expect("older log");
        assert!(old.contains(&b'y') && !old.contains(&b'x'));
    }

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let log = log(folder.path());
        fs::write(&log.path, "their own log\n").expect("file");
        log.write(Happened::Offline);
        assert_eq!(
            fs::read_to_string(&log.path).expect("file"),
            "their own log\n"
        );
    }

    #[cfg(unix)]
    #[test]
    fn l18_a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().expect("folder");
        let log = log(folder.path());
        let elsewhere = folder.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, &log.path).expect("link");
        log.write(Happened::Offline);
        assert!(!elsewhere.exists());
    }

    #[test]
    fn where_nothing_can_be_written_nothing_else_fails() {
        let folder = tempfile::tempdir().expect("folder");
        log(&folder.path().join("missing")).write(Happened::Offline);
    }
}
