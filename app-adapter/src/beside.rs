//! Files that belong to a database and stand beside it.

use std::path::{Path, PathBuf};

/// The path of such a file: the database's, a dot, and what it is.
pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    with_suffix(path, &format!(".{what}"))
}

/// A path with more at its end.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
