//! What every test of the schema needs, and the tests by kind of database.

mod adopted;
mod fresh;
mod generations;
mod postgres;

use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use tempfile::TempDir;

use crate::{Side, up};

/// A database file that goes when the test ends.
struct File {
    db: DatabaseConnection,
    dir: TempDir,
}

impl File {
    async fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            db: open(&dir).await,
            dir,
        }
    }

    async fn with(sql: &str) -> Self {
        let file = Self::empty().await;
        file.db.execute_unprepared(sql).await.unwrap();
        file
    }

    async fn migrated(side: Side) -> Self {
        let file = Self::empty().await;
        up(&file.db, side).await.unwrap();
        file
    }

    /// Another connection, as another program has it.
    async fn again(&self) -> DatabaseConnection {
        open(&self.dir).await
    }
}

async fn open(dir: &TempDir) -> DatabaseConnection {
    let path = dir.path().join("zentrio.sqlite");
    Database::connect(format!("sqlite://{}?mode=rwc", path.display()))
        .await
        .unwrap()
}

/// The first column of every row, as text; NULL is `-`.
async fn texts(db: &impl ConnectionTrait, sql: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .unwrap();
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    rows.iter()
        .map(|row| text(row.try_get_by_index(0).unwrap()))
        .collect()
}

/// [`texts`] where there is one row.
async fn text(db: &impl ConnectionTrait, sql: &str) -> String {
    let mut all = texts(db, sql).await;
    assert_eq!(all.len(), 1, "{sql}");
    all.remove(0)
}
