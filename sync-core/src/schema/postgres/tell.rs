//! Telling who listens that something was edited in the server's own database.
//!
//! It is a hint: where a database has no NOTIFY, or nobody listens, the edit is absorbed by the next push or
//! pull all the same.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// The channel on which Postgres tells that edits wait to be absorbed. There is nothing in the message.
pub const PENDING_CHANNEL: &str = "sync_pending";

const TRIGGER: &str = "sync_tell";

/// Where edits wait, and how they come there.
const WATCHED: [(&str, &str); 2] = [
    ("sync_pending", "INSERT OR UPDATE"),
    ("sync_deleted", "INSERT"),
];

/// Installs the triggers where they are missing, and where the database can tell at all.
pub(in crate::schema) async fn install<C: ConnectionTrait>(db: &C) -> Result<(), DbErr> {
    if is_complete(db).await? {
        return Ok(());
    }
    let function = format!(
        "CREATE OR REPLACE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS
         $sync$ BEGIN PERFORM pg_notify('{PENDING_CHANNEL}', ''); RETURN NULL; END $sync$"
    );
    db.execute_unprepared(&function).await?;
    for (table, when) in WATCHED {
        // One message a transaction, however many statements it has.
        let drop = format!("DROP TRIGGER IF EXISTS {TRIGGER} ON {table}");
        let create = format!(
            "CREATE TRIGGER {TRIGGER} AFTER {when} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {TRIGGER}()"
        );
        db.execute_unprepared(&drop).await?;
        db.execute_unprepared(&create).await?;
    }
    Ok(())
}

/// Whether the triggers are there, or would be of no use.
pub(in crate::schema) async fn is_complete<C: ConnectionTrait>(db: &C) -> Result<bool, DbErr> {
    let backend = db.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(true);
    }
    let sql = format!(
        "SELECT to_regproc('pg_catalog.pg_notify') IS NULL OR (SELECT count(*) FROM pg_trigger
           WHERE tgname = '{TRIGGER}' AND tgrelid IN (to_regclass('sync_pending'), to_regclass('sync_deleted'))) = 2 AS complete"
    );
    let row = db
        .query_one_raw(Statement::from_string(backend, sql))
        .await?;
    row.map_or(Ok(false), |row| row.try_get("", "complete"))
}
