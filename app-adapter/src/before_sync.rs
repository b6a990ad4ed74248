//! The copy of a database as it was before it was adopted: `FILE.before-sync`.
//!
//! It is a whole database, with what stood in the journal beside the file, for its owner only, and without a login
//! of ours. No copy is written over; one that holds the same already is enough.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use crate::{
    database::{beside_as, connect_with, file, problem},
    error::{AdapterError, FileProblem},
    key_file::private,
    seal,
};

/// A copy that is kept.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) path: PathBuf,
    /// Whether it was there before.
    is_old: bool,
}

impl Copy {
    /// Removes it: what it is a copy of was not changed after all.
    pub(crate) fn take_back(self) {
        if !self.is_old {
            // One too many does no harm.
            let _ = fs::remove_file(self.path);
        }
    }
}

/// What may go wrong while a copy is made.
enum Failure {
    Database(DbErr),
    File(io::Error),
}

/// Keeps a copy of the database at `path`, which nobody writes meanwhile.
///
/// # Errors
/// If there is no room for it, or another reason; then there is none.
pub(crate) async fn keep(path: &Path) -> Result<Copy, AdapterError> {
    let draft = beside_as(path, ".before-sync.draft");
    let kept = match write(path, &draft).await {
        Ok(()) => name(path, &draft).map_err(Failure::File),
        Err(failure) => Err(failure),
    };
    kept.map_err(|failure| {
        // The first error counts.
        let _ = fs::remove_file(&draft);
        failure.of(path)
    })
}

/// The latest copy of the database at `path`.
pub(crate) fn latest(path: &Path) -> Option<PathBuf> {
    let there = |number: &u32| numbered(path, *number).exists();
    let number = (1..).take_while(there).last()?;
    Some(numbered(path, number))
}

async fn write(path: &Path, draft: &Path) -> Result<(), Failure> {
    // One that was not finished; nobody else is at it.
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    private(OpenOptions::new().write(true).create_new(true)).open(draft)?;
    copy(path, draft).await?;
    forget_login(draft).await?;
    Ok(File::open(draft)?.sync_all()?)
}

/// A statement reads one state of the database, journal and all, and needs no lock that others notice.
async fn copy(path: &Path, draft: &Path) -> Result<(), Failure> {
    let name = draft.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    let db = connect_with(path, |sqlite| sqlite).await?;
    let sql = "VACUUM INTO $1";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [name.into()]);
    let done = db.execute_raw(statement).await;
    db.close().await?;
    Ok(done.map(|_| ())?)
}

/// A database that we have adopted before may hold a login; a copy is not to log anybody in.
async fn forget_login(draft: &Path) -> Result<(), DbErr> {
    let db = connect_with(draft, |sqlite| sqlite.pragma("secure_delete", "ON")).await?;
    let done = match token(&db).await {
        Some(token) if seal::kept(&token).is_some() => {
            db.execute_unprepared("UPDATE sync_state SET auth_token = NULL")
                .await
        }
        _ => return db.close().await,
    };
    db.close().await?;
    done.map(|_| ())
}

/// Where there is no such table there is none.
async fn token(db: &DatabaseConnection) -> Option<String> {
    let sql = "SELECT auth_token FROM sync_state WHERE id = 1";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.ok()??;
    row.try_get("", "auth_token").ok()
}

/// Gives the copy its name: the first that is free, or that of one which holds the same.
fn name(path: &Path, draft: &Path) -> io::Result<Copy> {
    let mut number = 1;
    loop {
        let name = numbered(path, number);
        if !name.try_exists()? {
            fs::rename(draft, &name)?;
            sync_folder(&name)?;
            return Ok(Copy {
                path: name,
                is_old: false,
            });
        }
        if is_same(draft, &name)? {
            fs::remove_file(draft)?;
            return Ok(Copy {
                path: name,
                is_old: true,
            });
        }
        number += 1;
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    match number {
        1 => beside_as(path, ".before-sync"),
        number => beside_as(path, &format!(".before-sync-{number}")),
    }
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    loop {
        ours.clear();
        theirs.clear();
        one.by_ref().take(1 << 20).read_to_end(&mut ours)?;
        other.by_ref().take(1 << 20).read_to_end(&mut theirs)?;
        if ours != theirs || ours.is_empty() {
            return Ok(ours == theirs);
        }
    }
}

/// A name is kept once its folder is; where folders cannot be opened, that is the system's business.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().map(File::open) {
        Some(Ok(folder)) => folder.sync_all(),
        _ => Ok(()),
    }
}

impl Failure {
    fn of(self, path: &Path) -> AdapterError {
        match self {
            Self::Database(error) => {
                let problem = match problem(&error) {
                    FileProblem::DiskFull => FileProblem::NoRoomForCopy,
                    known @ (FileProblem::Damaged
                    | FileProblem::NotADatabase
                    | FileProblem::Locked) => known,
                    _ => FileProblem::NoCopy,
                };
                file(path, problem, Some(error.into()))
            }
            Self::File(error) => {
                let problem = match error.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        FileProblem::NoRoomForCopy
                    }
                    _ => FileProblem::NoCopy,
                };
                file(path, problem, Some(error.into()))
            }
        }
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<io::ErrorKind> for Failure {
    fn from(kind: io::ErrorKind) -> Self {
        Self::File(kind.into())
    }
}
