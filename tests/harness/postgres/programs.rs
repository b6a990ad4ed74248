//! Where Postgres' programs are, and who may run them.

use std::{
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// The folder with `initdb` and `pg_ctl`: `PG_BIN`, else the newest of a Debian
/// installation, which keeps them off the path, else wherever the path has them.
pub(super) fn folder() -> Result<PathBuf> {
    if let Some(named) = env::var_os("PG_BIN").map(PathBuf::from) {
        if is_complete(&named) {
            return Ok(named);
        }
        bail!(
            "PG_BIN is {}, which has no initdb and pg_ctl",
            named.display()
        );
    }
    newest_of_debian()
        .or_else(on_the_path)
        .context("no PostgreSQL server found: install one, or set PG_BIN or TEST_PG_URL")
}

/// One of Postgres' programs, such as `pg_dump`.
///
/// # Errors
/// If no installation is found.
pub fn program(name: &str) -> Result<PathBuf> {
    match folder() {
        Ok(folder) => Ok(folder.join(name)),
        // The tests run on somebody else's server.
        Err(_) if env::var_os("TEST_PG_URL").is_some() => Ok(name.into()),
        Err(error) => Err(error),
    }
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl"]
        .iter()
        .all(|program| folder.join(program).exists())
}

fn newest_of_debian() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path(),
            ))
        })
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, folder)| is_complete(folder))
        .max()
        .map(|(_, folder)| folder)
}

fn on_the_path() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).find(|folder| is_complete(folder))
}

/// Whom a program runs as.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Postgres refuses to run as root. So if we are root, somebody else must run
/// it; `ours` is any file we made, which tells who we are.
pub(super) fn substitute_for_root(ours: &Path) -> Result<Option<User>> {
    if ours.metadata()?.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("cannot read the list of users")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| user_named(&accounts, name))
        .map(Some)
        .context("running as root, and there is no user postgres or nobody to run Postgres as")
}

fn user_named(accounts: &str, name: &str) -> Option<User> {
    let mut fields = accounts
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?
        .skip(1);
    Some(User {
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let accounts = "postgresql:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/bash\n";
        let user = user_named(accounts, "postgres").expect("listed");
        assert_eq!((user.uid, user.gid), (101, 104));
        assert!(user_named(accounts, "nobody").is_none());
    }
}
