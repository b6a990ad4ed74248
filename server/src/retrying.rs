//! The databases as the tables that only the server knows are read and written: what the database ends
//! because of another transaction is run again.

use std::ops::Deref;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    prelude::async_trait::async_trait,
};
use sync_core::{
    retry::{Conflict, retry},
    server::ServerDb,
};

use crate::Error;

/// The server's databases.
#[derive(Clone)]
pub(crate) struct Databases {
    /// For transactions that write, and for statements that do.
    pub(crate) write: Retrying,
    /// For statements that only read.
    pub(crate) read: Retrying,
    /// As the sync engine has them.
    pub(crate) plain: ServerDb,
}

/// A database whose single statements are run again after a conflict. A transaction has to be run again as a
/// whole, by [`retry`].
#[derive(Clone)]
pub(crate) struct Retrying(DatabaseConnection);

impl Databases {
    pub(crate) fn new(plain: ServerDb) -> Self {
        Self {
            write: Retrying(plain.write.clone()),
            read: Retrying(plain.read.clone()),
            plain,
        }
    }
}

impl Deref for Retrying {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        &self.0
    }
}

#[async_trait]
impl ConnectionTrait for Retrying {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        retry(|| self.0.execute_raw(statement.clone())).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        retry(|| self.0.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        retry(|| self.0.query_one_raw(statement.clone())).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        retry(|| self.0.query_all_raw(statement.clone())).await
    }
}

impl Conflict for Error {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Sync(error) if error.is_conflict())
    }
}
