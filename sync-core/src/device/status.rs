//! What a person wants to know: is everything safe, and if not, what to do.

use sea_orm::{ConnectionTrait, DbErr, Statement};
use serde::Serialize;

use super::{Device, ParkedAccount, Withheld, state};
use crate::{error::SyncError, owner};

/// Where a database stands. Holds no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether there is a login to sync with.
    pub connected: bool,
    /// The server.
    pub remote_url: Option<String>,
    /// The account's email.
    pub email: Option<String>,
    /// The account at the server.
    pub user_id: Option<String>,
    /// When a sync last came to its end, in milliseconds.
    pub last_sync_ms: Option<i64>,
    /// Why the last one did not: a stable word, a colon, and the words for people.
    pub last_error: Option<String>,
    /// The stable word alone.
    pub last_error_code: Option<String>,
    /// When that was, in milliseconds.
    pub last_error_ms: Option<i64>,
    /// Rows with changes that the server does not have yet, by table.
    pub pending: Vec<PendingTable>,
    /// Rows the server did not take.
    pub rejected: Vec<RejectedRow>,
    /// Rows of the server that cannot be written here.
    pub quarantined: Vec<QuarantinedRow>,
    /// Other accounts whose data waits in this database until they are connected again.
    pub set_aside: Vec<ParkedAccount>,
}

/// How much of a table is pending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PendingTable {
    /// The table.
    pub table: String,
    /// Rows with pending changes.
    pub n_rows: u64,
}

/// A row the server did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// Its table.
    pub table: String,
    /// Its primary key here.
    pub row_id: i64,
    /// Its name; none where it never got one.
    pub remote_id: Option<String>,
    /// Why, as a stable word.
    pub code: String,
    /// The column at fault.
    pub field: Option<String>,
    /// Why, in words.
    pub message: Option<String>,
    /// When it was last refused, in milliseconds.
    pub at_ms: i64,
    /// Since when it has been, in milliseconds.
    pub since_ms: i64,
}

/// A row of the server that cannot be written here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuarantinedRow {
    /// Its table.
    pub table: String,
    /// Its name.
    pub remote_id: String,
    /// The primary key of its older form, if that is here.
    pub row_id: Option<i64>,
    /// Why, as a stable word.
    pub code: String,
    /// The column at fault.
    pub field: Option<String>,
    /// Why, in words.
    pub reason: String,
    /// When it last could not be written, in milliseconds.
    pub at_ms: i64,
    /// Since when, in milliseconds.
    pub since_ms: i64,
}

impl Device {
    /// Where this database stands. Takes no lock and waits for no sync.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn status(&self) -> Result<Status, SyncError> {
        let state = state::load(&self.db).await?;
        Ok(Status {
            connected: state.auth_token.is_some(),
            remote_url: state.remote_url,
            email: state.email,
            user_id: state.remote_user_id,
            last_sync_ms: state.last_sync_ms,
            last_error_code: state.last_error.as_deref().map(word_of),
            last_error: state.last_error,
            last_error_ms: state.last_error_ms,
            pending: self.pending().await?,
            rejected: self.rejected().await?,
            quarantined: self.quarantined().await?,
            set_aside: self.parked_accounts().await?,
        })
    }

    /// Whether anything at all is pending, whoever's it is: one probe, for the many times when nothing is.
    pub(super) async fn anything_pending(&self) -> Result<bool, DbErr> {
        let sql = "SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM sync_pending) OR EXISTS (SELECT 1 FROM sync_deleted)";
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        Ok(self.db.query_one_raw(statement).await?.is_some())
    }

    /// Rows with pending changes, by table, tables without any left out.
    async fn pending(&self) -> Result<Vec<PendingTable>, DbErr> {
        if !self.anything_pending().await? {
            return Ok(Vec::new());
        }
        let backend = self.db.get_database_backend();
        let user = state::load(&self.db).await?.local_user_id;
        let mut pending = Vec::new();
        for registered in self.registry.tables() {
            let whose = match user {
                Some(_) => owner::owns_row(&self.registry, registered, "sync_pending.row_id"),
                None => "$1 IS NOT NULL".to_owned(),
            };
            let sql = format!(
                "SELECT (SELECT count(DISTINCT row_id) FROM sync_pending WHERE tbl = $2 AND {whose})
                   + (SELECT count(*) FROM sync_deleted WHERE tbl = $2) AS n"
            );
            let table = registered.shape.table;
            let values = [user.clone().unwrap_or_default().into(), table.into()];
            let row = self
                .db
                .query_one_raw(Statement::from_sql_and_values(backend, sql, values))
                .await?;
            let n_rows: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
            if n_rows > 0 {
                pending.push(PendingTable {
                    table: table.to_owned(),
                    n_rows: n_rows.unsigned_abs(),
                });
            }
        }
        Ok(pending)
    }

    /// Rows with pending changes.
    pub(super) async fn n_pending(&self) -> Result<u64, SyncError> {
        Ok(self.pending().await?.iter().map(|table| table.n_rows).sum())
    }

    /// Whether there is something to push that the server has not refused already.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn anything_to_push(&self) -> Result<bool, SyncError> {
        if !self.anything_pending().await? {
            return Ok(false);
        }
        let gone = Statement::from_string(
            self.db.get_database_backend(),
            "SELECT 1 AS one FROM sync_deleted LIMIT 1",
        );
        if self.db.query_one_raw(gone).await?.is_some() {
            return Ok(true);
        }
        let state = state::load(&self.db).await?;
        let server = state.server();
        let user = state.local_user_id.unwrap_or_default();
        for registered in self.registry.tables() {
            let withheld = Withheld::of(registered.shape, server.as_ref());
            if withheld.table {
                continue;
            }
            let sql = format!(
                "SELECT 1 AS one FROM sync_pending WHERE tbl = $2 AND {}{} AND NOT EXISTS
                   (SELECT 1 FROM sync_rejected r WHERE r.tbl = $2 AND r.row_id = sync_pending.row_id) LIMIT 1",
                owner::owns_row(&self.registry, registered, "sync_pending.row_id"),
                withheld.left_out()
            );
            let values = [user.as_str().into(), registered.shape.table.into()];
            let backend = self.db.get_database_backend();
            if self
                .db
                .query_one_raw(Statement::from_sql_and_values(backend, sql, values))
                .await?
                .is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn rejected(&self) -> Result<Vec<RejectedRow>, DbErr> {
        let sql = "SELECT tbl, row_id, nullif(remote_id, '') AS remote_id, code, field, message, at, since
                   FROM sync_rejected ORDER BY tbl, row_id";
        let rows = self
            .db
            .query_all_raw(Statement::from_string(self.db.get_database_backend(), sql))
            .await?;
        let read = rows.iter().map(|row| {
            Ok(RejectedRow {
                table: row.try_get("", "tbl")?,
                row_id: row.try_get("", "row_id")?,
                remote_id: row.try_get("", "remote_id")?,
                code: row.try_get("", "code")?,
                field: row.try_get("", "field")?,
                message: row.try_get("", "message")?,
                at_ms: row.try_get("", "at")?,
                since_ms: row.try_get("", "since")?,
            })
        });
        read.collect()
    }

    pub(super) async fn quarantined(&self) -> Result<Vec<QuarantinedRow>, DbErr> {
        let sql = "SELECT tbl, remote_id, code, field, reason, at, since FROM sync_quarantine ORDER BY tbl, remote_id";
        let rows = self
            .db
            .query_all_raw(Statement::from_string(self.db.get_database_backend(), sql))
            .await?;
        let mut quarantined = Vec::with_capacity(rows.len());
        for row in &rows {
            let (table, remote_id): (String, String) =
                (row.try_get("", "tbl")?, row.try_get("", "remote_id")?);
            quarantined.push(QuarantinedRow {
                row_id: self.id_here(&table, &remote_id).await?,
                table,
                remote_id,
                code: row.try_get("", "code")?,
                field: row.try_get("", "field")?,
                reason: row.try_get("", "reason")?,
                at_ms: row.try_get("", "at")?,
                since_ms: row.try_get("", "since")?,
            });
        }
        Ok(quarantined)
    }

    async fn id_here(&self, table: &str, remote_id: &str) -> Result<Option<i64>, DbErr> {
        let Some(registered) = self.registry.get(table) else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT CAST(\"{}\" AS BIGINT) AS id FROM \"{table}\" WHERE remote_id = $1",
            registered.shape.id
        );
        let backend = self.db.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, [remote_id.into()]);
        let row = self.db.query_one_raw(statement).await?;
        row.map(|row| row.try_get("", "id")).transpose()
    }
}

fn word_of(error: &str) -> String {
    let (word, _) = error.split_once(':').unwrap_or((error, ""));
    word.to_owned()
}
