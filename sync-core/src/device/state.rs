//! `sync_state`: the one row that says with whom this database syncs, and how far it has come.
//!
//! Its column `is_syncing` is of an older app and is never read: a crash would leave it set.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};

use super::{Device, replace::Replacing};
use crate::{error::SyncError, tx};

/// The row of `sync_state`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The server, if connected.
    pub remote_url: Option<String>,
    /// The account there.
    pub remote_user_id: Option<String>,
    /// The account's email, to be shown.
    pub email: Option<String>,
    /// The sync token as the caller of [`Device::connect`] keeps it: sealed.
    pub auth_token: Option<String>,
    /// The owner of the rows that are synced, as this database has it.
    pub local_user_id: Option<String>,
    /// This installation's name.
    pub device_id: Option<String>,
    /// The life of the server's data that was synced with.
    pub epoch: Option<String>,
    /// How far the feed was pulled.
    pub cursor: Option<String>,
    /// The number of the last push that may have been sent.
    pub push_no: i64,
    /// When a sync last came to its end, in milliseconds.
    pub last_sync_ms: Option<i64>,
    /// Why the last sync did not come to its end: a stable word, a colon, and the words for people.
    pub last_error: Option<String>,
    /// When that was, in milliseconds.
    pub last_error_ms: Option<i64>,
    /// Which sync holds, or held, the database's lease.
    pub lease_holder: Option<String>,
    /// Whether a replacement pull is under way, and how.
    pub(super) replacing: Option<Replacing>,
    /// What the server syncs, as it last told; see [`State::server`].
    pub(super) server_schema: Option<String>,
    /// What is being fetched once more because tables gained it, if anything is.
    pub(super) refetch_of: Option<String>,
    /// How far that has come.
    pub(super) refetch_cursor: Option<String>,
    /// Whether rows of this database are being taken for the account's that are like them: until all of its
    /// feed has been seen.
    pub(super) merging: bool,
}

/// Shows no token.
impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("remote_url", &self.remote_url)
            .field("remote_user_id", &self.remote_user_id)
            .field("cursor", &self.cursor)
            .field("push_no", &self.push_no)
            .finish_non_exhaustive()
    }
}

/// With whom a database is to sync.
#[derive(Clone)]
pub struct Connection {
    /// The server's address.
    pub remote_url: String,
    /// The account there.
    pub remote_user_id: String,
    /// The account's email, to be shown.
    pub email: Option<String>,
    /// The sync token, sealed.
    pub auth_token: String,
    /// The owner of the rows to sync, as this database has it.
    pub local_user_id: String,
}

impl Device {
    /// Where this database stands.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn state(&self) -> Result<State, SyncError> {
        Ok(load(&self.db).await?)
    }

    /// The name of this installation, made at the first asking.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn device_id(&self) -> Result<String, SyncError> {
        let sql = "UPDATE sync_state SET device_id = coalesce(device_id, $1)";
        execute(&self.db, sql, vec![self.ids.next().into()]).await?;
        Ok(load(&self.db).await?.device_id.unwrap_or_default())
    }

    /// Connects the database to an account. The same account as before goes on where it stopped;
    /// otherwise the rows are new to the server.
    ///
    /// # Errors
    /// If the database fails, or is connected to another account: see [`Device::switch_account`].
    pub async fn connect(&self, connection: &Connection) -> Result<(), SyncError> {
        self.connect_as(connection, false).await
    }

    pub(super) async fn connect_as(
        &self,
        connection: &Connection,
        merging: bool,
    ) -> Result<(), SyncError> {
        let tx = tx::begin_write(&self.db).await?;
        let before = load(&tx).await?;
        if before.is_tied() && before.remote_user_id.as_ref() != Some(&connection.remote_user_id) {
            return Err(SyncError::Refused {
                status: 409,
                code: "other_account".to_owned(),
                message: "this database belongs to another account: say what becomes of its rows"
                    .to_owned(),
                retry_after: None,
            });
        }
        save_connection(&tx, connection).await?;
        if merging {
            save_merging(&tx, true).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Forgets the login. Rows, cursor and account stay, so that the same account goes on later.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn disconnect(&self) -> Result<(), SyncError> {
        Ok(execute(&self.db, "UPDATE sync_state SET auth_token = NULL", vec![]).await?)
    }
}

/// Reads the row.
pub(super) async fn load<C: ConnectionTrait>(db: &C) -> Result<State, DbErr> {
    let sql = "SELECT remote_url, remote_user_id, email, auth_token, local_user_id, device_id, epoch, cursor, push_no,
               last_sync_ms, last_error, last_error_ms, lease_holder, replacing, server_schema, refetch_of, refetch_cursor,
               merging FROM sync_state WHERE id = 1";
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    row.map_or_else(|| Ok(State::default()), |row| from_row(&row))
}

fn from_row(row: &QueryResult) -> Result<State, DbErr> {
    Ok(State {
        remote_url: row.try_get("", "remote_url")?,
        remote_user_id: row.try_get("", "remote_user_id")?,
        email: row.try_get("", "email")?,
        auth_token: row.try_get("", "auth_token")?,
        local_user_id: row.try_get("", "local_user_id")?,
        device_id: row.try_get("", "device_id")?,
        epoch: row.try_get("", "epoch")?,
        cursor: row.try_get("", "cursor")?,
        push_no: row.try_get("", "push_no")?,
        last_sync_ms: row.try_get("", "last_sync_ms")?,
        last_error: row.try_get("", "last_error")?,
        last_error_ms: row.try_get("", "last_error_ms")?,
        lease_holder: row.try_get("", "lease_holder")?,
        replacing: Replacing::from_number(row.try_get("", "replacing")?),
        server_schema: row.try_get("", "server_schema")?,
        refetch_of: row.try_get("", "refetch_of")?,
        refetch_cursor: row.try_get("", "refetch_cursor")?,
        merging: row.try_get::<i64>("", "merging")? != 0,
    })
}

/// Keeps with whom the database syncs.
pub(super) async fn save_connection<C: ConnectionTrait>(
    tx: &C,
    connection: &Connection,
) -> Result<(), DbErr> {
    let Connection {
        remote_url,
        remote_user_id,
        email,
        auth_token,
        local_user_id,
    } = connection.clone();
    let sql =
        "UPDATE sync_state SET remote_url = $1, remote_user_id = $2, email = $3, auth_token = $4,
               local_user_id = $5, last_error = NULL, last_error_ms = NULL";
    let values = vec![
        remote_url.into(),
        remote_user_id.into(),
        email.into(),
        auth_token.into(),
        local_user_id.into(),
    ];
    execute(tx, sql, values).await
}

/// Keeps whether rows are being taken for the account's that are like them.
pub(super) async fn save_merging<C: ConnectionTrait>(tx: &C, merging: bool) -> Result<(), DbErr> {
    let values = vec![i64::from(merging).into()];
    execute(tx, "UPDATE sync_state SET merging = $1", values).await
}

/// Keeps how far the feed was pulled; in the transaction that wrote the rows.
pub(super) async fn save_cursor<C: ConnectionTrait>(
    tx: &C,
    epoch: &str,
    cursor: &str,
) -> Result<(), DbErr> {
    execute(
        tx,
        "UPDATE sync_state SET epoch = $1, cursor = $2",
        vec![epoch.into(), cursor.into()],
    )
    .await
}

/// Keeps the number of a push before it is sent.
pub(super) async fn save_push_no<C: ConnectionTrait>(tx: &C, push_no: i64) -> Result<(), DbErr> {
    execute(
        tx,
        "UPDATE sync_state SET push_no = $1",
        vec![push_no.into()],
    )
    .await
}

/// Keeps how a sync ended.
pub(super) async fn save_result<C: ConnectionTrait>(
    db: &C,
    now_ms: i64,
    error: Option<&SyncError>,
) -> Result<(), DbErr> {
    match error {
        None => {
            let sql = "UPDATE sync_state SET last_sync_ms = $1, last_sync_at = $2, last_error = NULL, last_error_ms = NULL";
            let at = crate::wire::Millis(now_ms).to_string();
            execute(db, sql, vec![now_ms.into(), at.into()]).await
        }
        Some(error) => {
            let text = format!("{}: {error}", error.word());
            let sql = "UPDATE sync_state SET last_error = $1, last_error_ms = $2";
            execute(db, sql, vec![text.into(), now_ms.into()]).await
        }
    }
}

/// Runs one statement.
pub(super) async fn execute<C: ConnectionTrait>(
    db: &C,
    sql: &str,
    values: Vec<sea_orm::Value>,
) -> Result<(), DbErr> {
    db.execute_raw(Statement::from_sql_and_values(
        db.get_database_backend(),
        sql,
        values,
    ))
    .await
    .map(|_| ())
}
