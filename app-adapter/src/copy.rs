//! A copy of the database, to try on what must not happen to it yet.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use crate::{
    database,
    error::{AdapterError, FileProblem},
    key_file::private,
};

/// A copy beside the database, for its owner only. Its files go with it.
pub(crate) struct Copy {
    pub(crate) db: DatabaseConnection,
    _files: Files,
}

struct Files(PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        // One that stays is removed by the next copy.
        let _ = remove(&self.0);
    }
}

impl Copy {
    /// Copies the database as it is now. Who writes to it meanwhile waits, or comes after the copy.
    pub(crate) async fn of(db: &DatabaseConnection, path: &Path) -> Result<Self, AdapterError> {
        let copy = database::beside(path, "rehearsal");
        let failed = |error: io::Error| AdapterError::File {
            path: copy.clone(),
            problem: match error.kind() {
                io::ErrorKind::StorageFull => FileProblem::DiskFull,
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    FileProblem::ReadOnly
                }
                _ => FileProblem::Unusable,
            },
            source: Some(error.into()),
        };
        // Of a program that crashed.
        remove(&copy).map_err(failed)?;
        private(OpenOptions::new().write(true).create_new(true))
            .open(&copy)
            .map_err(failed)?;
        let files = Files(copy.clone());
        let made = async {
            let into = copy.to_string_lossy().into_owned();
            let sql = "VACUUM INTO $1";
            let backend = db.get_database_backend();
            db.execute_raw(Statement::from_sql_and_values(backend, sql, [into.into()]))
                .await?;
            database::connect(&copy).await
        };
        let db = made
            .await
            .map_err(|error: DbErr| database::failed(&copy, error))?;
        Ok(Self { db, _files: files })
    }

    /// Closes the copy and removes it.
    pub(crate) async fn remove(self) {
        if let Err(error) = self.db.close().await {
            tracing::debug!(%error, "a copy could not be closed");
        }
    }
}

fn remove(copy: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(database::beside_as(copy, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
