//! The log of edits made here that were beaten by others: what it was, and what it gave way to.

use sea_orm::{DatabaseTransaction, DbErr};

use super::state::execute;

/// Most entries that are kept.
const MOST: i64 = 1_000;

/// A register whose local value gave way.
pub(super) struct Beaten {
    pub(super) register: &'static str,
    /// When the local value was edited, if it was an edit that was sent.
    pub(super) edited_at: Option<i64>,
    pub(super) local: String,
    pub(super) remote: String,
}

/// Keeps what was beaten; the oldest entries go.
pub(super) async fn log(
    tx: &DatabaseTransaction,
    table: &str,
    remote_id: &str,
    beaten: Vec<Beaten>,
    now_ms: i64,
) -> Result<(), DbErr> {
    for Beaten {
        register,
        edited_at,
        local,
        remote,
    } in beaten
    {
        let sql = "INSERT INTO sync_conflict (tbl, remote_id, register, local, remote, at, edited_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = vec![
            table.into(),
            remote_id.into(),
            register.into(),
            local.into(),
            remote.into(),
            now_ms.into(),
            edited_at.into(),
        ];
        execute(tx, sql, values).await?;
    }
    let sql = "DELETE FROM sync_conflict WHERE id <= (SELECT max(id) FROM sync_conflict) - $1";
    execute(tx, sql, vec![MOST.into()]).await
}
