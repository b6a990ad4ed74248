//! The file beside a database that holds the key of its login: `FILE.key`, readable by its owner only.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

use crate::{
    beside::beside,
    error::AdapterError,
    seal::{KEY_BYTES, Key},
};

/// What the file begins with, so that somebody else's `FILE.key` is not taken for ours, nor written over.
const MARK: &str = "zentrio-sync-key-1 ";

/// Where the key of a database is kept.
#[derive(Clone, Debug)]
pub(crate) struct KeyFile(PathBuf);

impl KeyFile {
    /// That of the database `path`.
    pub(crate) fn beside(path: &Path) -> Self {
        Self(beside(path, "key"))
    }

    /// The key, if there is one.
    pub(crate) fn load(&self) -> Result<Option<Key>, AdapterError> {
        let text = match fs::read(&self.0) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|e| self.failed(e))?,
        };
        // An empty file is all that a machine that stopped at the wrong moment leaves.
        if text.is_empty() {
            return Ok(None);
        }
        let key = parse(&text).ok_or_else(|| AdapterError::NotAKey {
            path: self.0.clone(),
        })?;
        Ok(Some(Key::new(key)))
    }

    /// The key, a new one if there is none.
    pub(crate) fn load_or_create(&self) -> Result<Key, AdapterError> {
        match self.load()? {
            Some(key) => Ok(key),
            None => self.create().map_err(|e| self.failed(e)),
        }
    }

    /// Whole or not at all, whatever happens to the machine meanwhile.
    fn create(&self) -> io::Result<Key> {
        let key: [u8; KEY_BYTES] = rand::random();
        let mut draft = self.0.as_os_str().to_owned();
        draft.push(format!(".{:016x}", rand::random::<u64>()));
        let draft = PathBuf::from(draft);
        let written = write_private(&draft, &format!("{MARK}{}\n", BASE64.encode(key)));
        let done = written.and_then(|()| fs::rename(&draft, &self.0));
        if done.is_err() {
            // The first error counts.
            let _ = fs::remove_file(&draft);
        }
        done.map(|()| Key::new(key))
    }

    fn failed(&self, source: io::Error) -> AdapterError {
        AdapterError::KeyFile {
            path: self.0.clone(),
            source,
        }
    }
}

fn parse(text: &[u8]) -> Option<[u8; KEY_BYTES]> {
    let text = str::from_utf8(text).ok()?.strip_prefix(MARK)?;
    BASE64.decode(text.trim_end()).ok()?.try_into().ok()
}

pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// New files are for their owner only.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{Kept, Purpose};

    const PURPOSE: Purpose<'_> = Purpose {
        url: "https://zentrio.eu",
        user_id: "u1",
    };

    fn key_file(dir: &tempfile::TempDir) -> KeyFile {
        KeyFile::beside(&dir.path().join("app.sqlite"))
    }

    #[test]
    fn a_key_is_made_once_and_is_the_owners() {
        let dir = tempfile::tempdir().expect("folder");
        let file = key_file(&dir);
        assert!(file.load().expect("no key yet").is_none());
        let sealed = file
            .load_or_create()
            .expect("key")
            .seal("token", PURPOSE, Kept::InFile)
            .expect("sealed");
        let again = file.load_or_create().expect("the same key");
        assert_eq!(again.open(&sealed, PURPOSE).as_deref(), Some("token"));
        let names: Vec<_> = fs::read_dir(dir.path())
            .expect("folder")
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(names, ["app.sqlite.key"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&file.0).expect("file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn an_empty_file_is_no_key_yet() {
        let dir = tempfile::tempdir().expect("folder");
        let file = key_file(&dir);
        fs::write(&file.0, "").expect("file");
        assert!(file.load().expect("no key yet").is_none());
        file.load_or_create().expect("key");
        assert!(file.load().expect("key").is_some());
    }

    #[test]
    fn another_file_of_that_name_is_left_alone() {
        let dir = tempfile::tempdir().expect("folder");
        let file = key_file(&dir);
        for text in [
            "-----BEGIN PRIVATE KEY-----\n",
            "zentrio-sync-key-1 AAAA\n",
            "\u{0}",
        ] {
            fs::write(&file.0, text).expect("file");
            assert!(
                matches!(file.load(), Err(AdapterError::NotAKey { .. })),
                "{text}"
            );
            assert!(
                matches!(file.load_or_create(), Err(AdapterError::NotAKey { .. })),
                "{text}"
            );
            assert_eq!(fs::read_to_string(&file.0).expect("file"), text);
        }
    }
}
