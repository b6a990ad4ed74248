//! Adopting a database that the application made: a copy of it is kept first, and then all of it is one
//! transaction, which happens or does not.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, Statement};
use sync_core::{Registry, tx};

use crate::{
    before_sync,
    database::{bring_up_in, connect_with, failed, migration_failed},
    error::AdapterError,
};

/// Adopts the database at `path` if it is one that the application made, or that an earlier version of this
/// program has adopted without what is needed today. Gives the copy of it as it was.
///
/// # Errors
/// If that fails; then the file is as it was, and there is no copy.
pub(crate) async fn adopt(
    path: &Path,
    registry: &Registry,
) -> Result<Option<PathBuf>, AdapterError> {
    let db = open_as_it_is(path).await.map_err(|e| failed(path, e))?;
    let adopted = adopt_in(&db, path, registry).await;
    // Whether it was closed in order does not matter to what was written.
    let _ = db.close().await;
    adopted
}

/// The way the file is written stays as it is, and tables that others refer to can be made anew.
async fn open_as_it_is(path: &Path) -> Result<DatabaseConnection, DbErr> {
    connect_with(path, |sqlite| sqlite.foreign_keys(false)).await
}

async fn adopt_in(
    db: &DatabaseConnection,
    path: &Path,
    registry: &Registry,
) -> Result<Option<PathBuf>, AdapterError> {
    let sqlite = |error| failed(path, error);
    if !migration::changes_existing(db).await.map_err(sqlite)? {
        return Ok(None);
    }
    // From here on nobody else writes, so the copy is what is changed, and one program at a time makes one.
    let tx = tx::begin_write(db).await.map_err(sqlite)?;
    if !migration::changes_existing(&tx).await.map_err(sqlite)? {
        // Another program was quicker.
        tx.rollback().await.map_err(sqlite)?;
        return Ok(None);
    }
    warn_of_orphans(&tx).await.map_err(sqlite)?;
    let copy = before_sync::keep(path).await?;
    let written = match bring_up_in(&tx, registry).await {
        Ok(()) => tx.commit().await,
        Err(error) => Err(error),
    };
    match written {
        Ok(()) => Ok(Some(copy.path)),
        Err(error) => {
            copy.take_back();
            Err(migration_failed(path, error))
        }
    }
}

/// Looks for rows that refer to none: they cannot be synced.
async fn warn_of_orphans(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    let sql = "SELECT count(*) AS n FROM pragma_foreign_key_check";
    let count = Statement::from_string(tx.get_database_backend(), sql);
    // What it says of tables that are none of ours is not our business, so neither is its failing.
    if let Ok(Some(row)) = tx.query_one_raw(count).await {
        let n_orphans: i64 = row.try_get("", "n")?;
        if n_orphans > 0 {
            tracing::warn!(
                n_orphans,
                "rows of this database refer to rows that are not there; they stay as they are"
            );
        }
    }
    Ok(())
}
