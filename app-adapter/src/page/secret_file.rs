//! `FILE.page`: where the page is and what to show it, for programs of the same user. Gone when the page is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::secret::Secret;
use crate::{error::AdapterError, key_file::write_private};

/// The file, removed with this value.
#[derive(Debug)]
pub(super) struct SecretFile(PathBuf);

impl SecretFile {
    /// Writes it beside the database, for its owner only.
    pub(super) fn write(database: &Path, url: &str, secret: &Secret) -> Result<Self, AdapterError> {
        let with = |end: &str| {
            let mut name = database.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let path = with(".page");
        let draft = with(&format!(".page.{:016x}", rand::random::<u64>()));
        let text = serde_json::json!({ "url": url, "secret": secret.as_str() });
        let written =
            write_private(&draft, &format!("{text}\n")).and_then(|()| fs::rename(&draft, &path));
        if written.is_err() {
            // The first error counts.
            let _ = fs::remove_file(&draft);
        }
        match written {
            Ok(()) => Ok(Self(path)),
            Err(source) => Err(AdapterError::PageFile { path, source }),
        }
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "`{}` cannot be removed", self.0.display());
            }
            _ => {}
        }
    }
}
