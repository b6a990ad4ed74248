//! Accounts whose data is set aside in this database.
//!
//! Their rows stay in the tables, with another owner than the account that is synced. They lose their names
//! while they are parked: nothing that another server says can mean one of them, and nothing of them is sent.
//! What is pending stays pending, and goes on being captured.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement};
use serde::Serialize;

use super::{Connection, Device, State, replace, replace::Replacing, state::execute};
use crate::{error::SyncError, owner, registry::Registry, shape::EVERY_REGISTER};

/// Marks cursors of changes that were pending when their account was parked: later ones have a cursor of
/// another account.
const OWN: &str = "=";

/// An account whose data is set aside here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParkedAccount {
    /// Its server.
    pub remote_url: Option<String>,
    /// The account there.
    pub remote_user_id: Option<String>,
    /// Its email, to be shown.
    pub email: Option<String>,
    /// The owner of its rows, as this database has it.
    pub local_user_id: String,
    /// The life of the server's data that was synced with.
    pub epoch: Option<String>,
    /// Rows that its server knows.
    pub n_rows: u64,
}

impl Device {
    /// The accounts whose data is set aside here, the latest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn parked_accounts(&self) -> Result<Vec<ParkedAccount>, SyncError> {
        let sql = "SELECT remote_url, remote_user_id, email, local_user_id, epoch,
                     (SELECT count(*) FROM sync_parked WHERE account = a.id AND gone_at IS NULL) AS n_rows
                   FROM sync_parked_account a ORDER BY id DESC";
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = self.db.query_all_raw(statement).await?;
        let read = rows.iter().map(|row| {
            Ok(ParkedAccount {
                remote_url: row.try_get("", "remote_url")?,
                remote_user_id: row.try_get("", "remote_user_id")?,
                email: row.try_get("", "email")?,
                local_user_id: row.try_get("", "local_user_id")?,
                epoch: row.try_get("", "epoch")?,
                n_rows: row.try_get::<i64>("", "n_rows")?.unsigned_abs(),
            })
        });
        Ok(read.collect::<Result<_, DbErr>>()?)
    }
}

/// Sets the account's data aside.
pub(super) async fn park(
    tx: &DatabaseTransaction,
    registry: &Registry,
    state: &State,
    user: &str,
) -> Result<(), DbErr> {
    let account = add_account(tx, state, user).await?;
    for registered in registry.tables() {
        let (table, id) = (registered.shape.table, registered.shape.id);
        // Only rows of the account that is synced have names.
        let sql = format!(
            "INSERT INTO sync_parked (account, tbl, remote_id, row_id, was_new)
             SELECT $1, $2, remote_id, \"{id}\", EXISTS (SELECT 1 FROM sync_pending p
               WHERE p.tbl = $2 AND p.row_id = \"{table}\".\"{id}\" AND p.register = '{EVERY_REGISTER}')
             FROM \"{table}\" WHERE remote_id IS NOT NULL"
        );
        execute(tx, &sql, vec![account.into(), table.into()]).await?;
        let sql = format!("UPDATE \"{table}\" SET remote_id = NULL WHERE remote_id IS NOT NULL");
        execute(tx, &sql, vec![]).await?;
        let sql = format!(
            "UPDATE sync_pending SET cursor = '{OWN}' || coalesce(cursor, '0') WHERE tbl = $2 AND {}",
            owner::owns_row(registry, registered, "sync_pending.row_id")
        );
        execute(tx, &sql, vec![user.into(), table.into()]).await?;
    }
    let sql = "INSERT INTO sync_parked (account, tbl, remote_id, row_id, was_new, gone_at, cursor)
               SELECT $1, tbl, remote_id, row_id, 0, edited_at, cursor FROM sync_deleted WHERE true
               ON CONFLICT (account, tbl, remote_id) DO NOTHING";
    execute(tx, sql, vec![account.into()]).await?;
    let sql = "UPDATE sync_sent SET parked = $1 WHERE parked IS NULL";
    execute(tx, sql, vec![account.into()]).await
}

async fn add_account(tx: &DatabaseTransaction, state: &State, user: &str) -> Result<i64, DbErr> {
    let sql = "INSERT INTO sync_parked_account (remote_url, remote_user_id, email, local_user_id, epoch, cursor)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    let values = [
        state.remote_url.clone().into(),
        state.remote_user_id.clone().into(),
        state.email.clone().into(),
        user.into(),
        state.epoch.clone().into(),
        state.cursor.clone().into(),
    ];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let row = tx.query_one_raw(statement).await?;
    row.map_or_else(
        || Err(DbErr::RecordNotInserted),
        |row| row.try_get("", "id"),
    )
}

/// What is needed of a parked account to go on with it.
struct Back {
    id: i64,
    user: String,
    epoch: Option<String>,
    cursor: Option<String>,
}

/// Gives the rows of an account that was parked their names again. Meanwhile the server may have forgotten
/// deletions, so that the feed is pulled anew.
pub(super) async fn bring_back(
    tx: &DatabaseTransaction,
    registry: &Registry,
    connection: &Connection,
    now_ms: i64,
) -> Result<(), DbErr> {
    let Some(back) = find(tx, connection).await? else {
        return Ok(());
    };
    for registered in registry.tables() {
        let (table, id) = (registered.shape.table, registered.shape.id);
        // A row that was inserted meanwhile may have the id of one that went.
        let sql = format!(
            "UPDATE \"{table}\" SET remote_id = (SELECT k.remote_id FROM sync_parked k
               WHERE k.account = $1 AND k.tbl = $2 AND k.row_id = \"{table}\".\"{id}\" AND k.gone_at IS NULL)
             WHERE remote_id IS NULL AND \"{id}\" IN (SELECT k.row_id FROM sync_parked k
               WHERE k.account = $1 AND k.tbl = $2 AND k.gone_at IS NULL AND (k.was_new = 1 OR NOT EXISTS
                 (SELECT 1 FROM sync_pending p WHERE p.tbl = $2 AND p.row_id = k.row_id AND p.register = '{EVERY_REGISTER}')))"
        );
        execute(tx, &sql, vec![back.id.into(), table.into()]).await?;
        let sql = format!(
            "INSERT INTO sync_deleted (tbl, row_id, remote_id, edited_at, cursor)
             SELECT tbl, row_id, remote_id, coalesce(gone_at, $3), coalesce(cursor, $4) FROM sync_parked k
             WHERE account = $1 AND tbl = $2 AND NOT EXISTS (SELECT 1 FROM \"{table}\" t WHERE t.remote_id = k.remote_id)"
        );
        let values = vec![
            back.id.into(),
            table.into(),
            now_ms.into(),
            back.cursor.clone().into(),
        ];
        execute(tx, &sql, values).await?;
        let sql = format!(
            "UPDATE sync_pending SET cursor = CASE WHEN substr(cursor, 1, 1) = '{OWN}' THEN substr(cursor, 2) ELSE $3 END
             WHERE tbl = $2 AND {}",
            owner::owns_row(registry, registered, "sync_pending.row_id")
        );
        let values = vec![
            back.user.as_str().into(),
            table.into(),
            back.cursor.clone().into(),
        ];
        execute(tx, &sql, values).await?;
    }
    for sql in [
        "UPDATE sync_sent SET parked = NULL WHERE parked = $1",
        "DELETE FROM sync_parked WHERE account = $1",
        "DELETE FROM sync_parked_account WHERE id = $1",
    ] {
        execute(tx, sql, vec![back.id.into()]).await?;
    }
    replace::begin(tx, Replacing::Carefully).await?;
    execute(
        tx,
        "UPDATE sync_state SET epoch = $1",
        vec![back.epoch.into()],
    )
    .await
}

async fn find(tx: &DatabaseTransaction, connection: &Connection) -> Result<Option<Back>, DbErr> {
    let sql = "SELECT id, local_user_id, epoch, cursor FROM sync_parked_account
               WHERE remote_user_id = $1 AND local_user_id = $2 ORDER BY id DESC LIMIT 1";
    let values = [
        connection.remote_user_id.as_str().into(),
        connection.local_user_id.as_str().into(),
    ];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let row = tx.query_one_raw(statement).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &QueryResult) -> Result<Back, DbErr> {
    Ok(Back {
        id: row.try_get("", "id")?,
        user: row.try_get("", "local_user_id")?,
        epoch: row.try_get("", "epoch")?,
        cursor: row.try_get("", "cursor")?,
    })
}
