//! Opening the local database: a new file, the app's own from any of its generations, or ours.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf, absolute},
    time::Duration,
};

use migration::Side;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sync_core::{Registry, schema, tx};

use crate::{
    adoption,
    error::{AdapterError, FileProblem},
    key_file::private,
};

/// How long is waited for another program that writes the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Rows that SQLite's thread reads ahead: each time it has to wait costs a change of threads.
const ROW_BUFFER: usize = 500;
/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Opens or creates the database and brings it to the schema of this program.
///
/// It is a pool of one connection: SQLite has one writer, and queueing here is fairer than its busy loop.
///
/// # Errors
/// [`AdapterError::File`], which says what is the matter with the file; then it is as it was before.
pub(crate) async fn open(path: &Path, registry: &Registry) -> Result<Opened, AdapterError> {
    // An absolute path is never taken for a URI, nor for SQLite's `:memory:`.
    let path = absolute(path).map_err(|e| file(path, FileProblem::Unusable, Some(e.into())))?;
    look_at(&path)?;
    let new_copy = adoption::adopt(&path, registry).await?;
    let db = connect(&path).await.map_err(|e| failed(&path, e))?;
    if migration::is_pending(&db, Side::Device)
        .await
        .map_err(|e| migration_failed(&path, e))?
    {
        bring_up(&db, registry)
            .await
            .map_err(|e| migration_failed(&path, e))?;
    }
    Ok(Opened { db, new_copy })
}

/// A database that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) db: DatabaseConnection,
    /// The copy of it as it was, if it has just been adopted.
    pub(crate) new_copy: Option<PathBuf>,
}

/// The schema and what syncs it, in one transaction.
async fn bring_up(db: &DatabaseConnection, registry: &Registry) -> Result<(), DbErr> {
    let tx = tx::begin_write(db).await?;
    bring_up_in(&tx, registry).await?;
    tx.commit().await
}

pub(crate) async fn bring_up_in(
    tx: &DatabaseTransaction,
    registry: &Registry,
) -> Result<(), DbErr> {
    migration::up_in(tx, Side::Device).await?;
    schema::install_in(tx, schema::Side::Device, registry).await
}

/// The path of a file that belongs to the database and stands beside it.
pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    beside_as(path, &format!(".{what}"))
}

/// The same with a suffix as it is.
pub(crate) fn beside_as(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The error for a database that failed while it was opened.
pub(crate) fn failed(path: &Path, error: DbErr) -> AdapterError {
    file(path, problem(&error), Some(error.into()))
}

/// What an error of SQLite says about the file.
pub(crate) fn problem(error: &DbErr) -> FileProblem {
    // The low byte; the rest tells more exactly where.
    match sqlite_code(error).map(|code| code & 0xff) {
        Some(5 | 6) => FileProblem::Locked,
        Some(8) => FileProblem::ReadOnly,
        Some(11) => FileProblem::Damaged,
        Some(13) => FileProblem::DiskFull,
        Some(26) => FileProblem::NotADatabase,
        _ => FileProblem::Unusable,
    }
}

fn sqlite_code(error: &DbErr) -> Option<i32> {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return None;
    };
    cause.as_database_error()?.code()?.parse().ok()
}

pub(crate) fn migration_failed(path: &Path, error: DbErr) -> AdapterError {
    let problem = match &error {
        // SeaORM has no variant of its own for a migration it does not know.
        DbErr::Custom(text) if text.starts_with("Migration file of version") => FileProblem::Newer,
        // A table of ours with other columns, or none that can be brought to the schema.
        DbErr::Custom(_) | DbErr::Migration(_) => FileProblem::NotZentrio,
        other => problem(other),
    };
    file(path, problem, Some(error.into()))
}

pub(crate) fn file(
    path: &Path,
    problem: FileProblem,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
) -> AdapterError {
    AdapterError::File {
        path: path.to_owned(),
        problem,
        source,
    }
}

/// Says clearly what SQLite would say vaguely, before it may write; creates the file where it is missing.
fn look_at(path: &Path) -> Result<(), AdapterError> {
    let failed = |problem, error: io::Error| file(path, problem, Some(error.into()));
    if leads_elsewhere(path) {
        return Err(file(path, FileProblem::Link, None));
    }
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => create(path),
        Err(e) => Err(failed(FileProblem::Unusable, e)),
        Ok(metadata) if metadata.is_dir() => Err(file(path, FileProblem::IsFolder, None)),
        Ok(_) => match begins_like_sqlite(path) {
            Ok(true) => Ok(()),
            Ok(false) => Err(file(path, FileProblem::NotADatabase, None)),
            Err(e) => Err(failed(FileProblem::Unusable, e)),
        },
    }
}

/// Whether somebody has put a link to a file in another folder in its place: not followed, for what is in that
/// folder may be anything. A link that leads nowhere, or in circles, is one of those.
fn leads_elsewhere(path: &Path) -> bool {
    if !fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink()) {
        return false;
    }
    let folder = path
        .parent()
        .and_then(|folder| fs::canonicalize(folder).ok());
    let target = fs::canonicalize(path).ok();
    target.is_none_or(|target| target.parent() != folder.as_deref())
}

/// For its owner only; SQLite gives the files beside it the same mode.
fn create(path: &Path) -> Result<(), AdapterError> {
    match private(OpenOptions::new().write(true).create_new(true)).open(path) {
        Ok(_) => Ok(()),
        Err(e) => {
            let problem = match e.kind() {
                // Somebody else was faster.
                io::ErrorKind::AlreadyExists => return Ok(()),
                io::ErrorKind::NotFound => FileProblem::NoFolder,
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    FileProblem::ReadOnly
                }
                io::ErrorKind::StorageFull => FileProblem::DiskFull,
                _ => FileProblem::Unusable,
            };
            Err(file(path, problem, Some(e.into())))
        }
    }
}

/// An empty file does: it is a database without tables.
fn begins_like_sqlite(path: &Path) -> io::Result<bool> {
    let mut start = Vec::with_capacity(MAGIC.len());
    File::open(path)?
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)?;
    Ok(start.is_empty() || start == MAGIC)
}

pub(crate) async fn connect(path: &Path) -> Result<DatabaseConnection, DbErr> {
    connect_with(path, |sqlite| {
        sqlite
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
    })
    .await
}

/// One connection to a file that is there.
pub(crate) async fn connect_with(
    path: &Path,
    settings: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> Result<DatabaseConnection, DbErr> {
    let path = path.to_owned();
    let mut options = ConnectOptions::new("sqlite:device");
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .filename(&path)
                .create_if_missing(false)
                .busy_timeout(BUSY_TIMEOUT)
                .row_buffer_size(ROW_BUFFER);
            settings(sqlite)
        });
    Database::connect(options).await
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, Statement};

    use super::*;

    async fn open(path: &Path) -> Result<DatabaseConnection, AdapterError> {
        let registry = entity::registry().expect("registry");
        super::open(path, &registry).await.map(|opened| opened.db)
    }

    async fn problem_of(path: &Path) -> FileProblem {
        match open(path).await {
            Err(AdapterError::File { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }

    async fn text(db: &DatabaseConnection, sql: &str) -> String {
        let row = db
            .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
            .await;
        row.expect("query")
            .expect("row")
            .try_get_by_index(0)
            .expect("text")
    }

    #[tokio::test]
    async fn a_new_file_is_the_owners_and_has_the_right_settings() {
        let dir = tempfile::tempdir().expect("folder");
        // None of this may mean anything to SQLite.
        let path = dir.path().join("a b?mode=memory#%41.sqlite");
        let db = open(&path).await.expect("database");
        let settings =
            "SELECT journal_mode || ' ' || synchronous || ' ' || foreign_keys || ' ' || timeout
            FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys, pragma_busy_timeout";
        assert_eq!(text(&db, settings).await, "wal 1 1 10000");
        assert_eq!(
            text(&db, "SELECT manifest_url FROM addons").await,
            "zentrio://tmdb-addon"
        );
        #[cfg(unix)]
        for name in ["", "-wal", "-shm"] {
            use std::os::unix::fs::PermissionsExt;
            let file = format!("{}{name}", path.display());
            assert_eq!(
                fs::metadata(&file).expect(&file).permissions().mode() & 0o777,
                0o600,
                "{file}"
            );
        }
        db.close().await.expect("closed");
        open(&path).await.expect("once more");
    }

    #[tokio::test]
    async fn what_is_no_database_is_left_as_it_is() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("notes.txt");
        for content in ["Dear diary", "SQLite format 3", &"x".repeat(10_000)] {
            fs::write(&path, content).expect("file");
            assert_eq!(problem_of(&path).await, FileProblem::NotADatabase);
            assert_eq!(fs::read_to_string(&path).expect("file"), content);
        }
        assert_eq!(problem_of(dir.path()).await, FileProblem::IsFolder);
        assert_eq!(
            problem_of(&dir.path().join("none/app.sqlite")).await,
            FileProblem::NoFolder
        );
        assert_eq!(
            problem_of(&path.join("app.sqlite")).await,
            FileProblem::Unusable
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn l18_a_link_to_another_folder_is_not_followed() {
        let (dir, other) = (
            tempfile::tempdir().expect("folder"),
            tempfile::tempdir().expect("folder"),
        );
        let target = other.path().join("other.sqlite");
        let path = dir.path().join("app.sqlite");
        std::os::unix::fs::symlink(&target, &path).expect("a link that leads nowhere");
        assert_eq!(problem_of(&path).await, FileProblem::Link);
        assert!(!target.exists(), "a file was made through the link");
        fs::write(&target, "").expect("file");
        assert_eq!(problem_of(&path).await, FileProblem::Link);
        // In the same folder it is the user's own arrangement.
        fs::remove_file(&path).expect("the link");
        fs::write(dir.path().join("data.sqlite"), "").expect("file");
        std::os::unix::fs::symlink("data.sqlite", &path).expect("a link");
        open(&path).await.expect("database");
    }

    #[tokio::test]
    async fn a_broken_database_is_told_from_a_foreign_one() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("broken.sqlite");
        fs::write(&path, [MAGIC.as_slice(), &[0xff; 8192]].concat()).expect("file");
        let problem = problem_of(&path).await;
        assert!(
            matches!(problem, FileProblem::NotADatabase | FileProblem::Damaged),
            "{problem:?}"
        );

        let path = dir.path().join("foreign.sqlite");
        fs::write(&path, "").expect("file");
        let db = connect(&path).await.expect("database");
        db.execute_unprepared("CREATE TABLE profiles (id INTEGER PRIMARY KEY, nick TEXT)")
            .await
            .expect("table");
        db.close().await.expect("closed");
        assert_eq!(problem_of(&path).await, FileProblem::NotZentrio);
    }

    #[tokio::test]
    async fn a_newer_programs_database_is_refused() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("app.sqlite");
        let db = open(&path).await.expect("database");
        let newer = "INSERT INTO sync_migrations (version, applied_at) VALUES ('m20990101_000001_later', 1)";
        db.execute_unprepared(newer)
            .await
            .expect("a later migration");
        db.close().await.expect("closed");
        assert_eq!(problem_of(&path).await, FileProblem::Newer);
    }

    #[tokio::test]
    async fn sqlites_refusals_have_names() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("app.sqlite");
        let db = open(&path).await.expect("database");
        db.execute_unprepared("PRAGMA query_only = ON")
            .await
            .expect("pragma");
        let error = db
            .execute_unprepared("DELETE FROM addons")
            .await
            .expect_err("read-only");
        assert_eq!(problem(&error), FileProblem::ReadOnly);

        let other = connect(&path).await.expect("another connection");
        other
            .execute_unprepared("PRAGMA busy_timeout = 0")
            .await
            .expect("pragma");
        db.execute_unprepared("PRAGMA query_only = OFF; BEGIN IMMEDIATE")
            .await
            .expect("lock");
        let error = other
            .execute_unprepared("DELETE FROM addons")
            .await
            .expect_err("locked");
        assert_eq!(problem(&error), FileProblem::Locked);
    }
}
