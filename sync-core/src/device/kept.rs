//! What of a row cannot be read stays pending, and is told, while all else of it is sent.

use sea_orm::{DatabaseTransaction, DbErr};

use super::{Device, settle, state::execute};
use crate::{shape::EVERY_REGISTER, unreadable::Fault};

/// The code of a row of which something cannot be read.
pub(super) const UNREADABLE: &str = "unreadable";
/// Stands for the count of edits when a register was last sent, while it cannot be read and all else went.
pub(super) const KEPT: i64 = -1;

impl Device {
    /// Tells of it until it is put right.
    pub(super) async fn refuse_unreadable(
        &self,
        tx: &DatabaseTransaction,
        table: &str,
        row_id: i64,
        remote_id: &str,
        fault: &Fault,
    ) -> Result<(), DbErr> {
        let field = fault.field();
        let rejection = settle::Rejection {
            remote_id,
            code: UNREADABLE,
            field: field.as_deref(),
            message: Some(&fault.reason),
        };
        self.refuse(tx, table, row_id, &rejection).await
    }
}

/// Keeps registers of a row that was sent pending, because they cannot be read. Where the whole row went, they
/// are noted as edited just after it, or else the server would take its own default for the later one.
pub(super) async fn mark(
    tx: &DatabaseTransaction,
    table: &str,
    row_id: i64,
    registers: &[&str],
) -> Result<(), DbErr> {
    for register in registers {
        let sql = format!(
            "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
             SELECT tbl, row_id, $3, NULL, edited_at + 1, 1, {KEPT} FROM sync_pending
             WHERE tbl = $1 AND row_id = $2 AND register = '{EVERY_REGISTER}'
             ON CONFLICT (tbl, row_id, register) DO NOTHING"
        );
        let values = || vec![table.into(), row_id.into(), (*register).into()];
        execute(tx, &sql, values()).await?;
        let sql = format!(
            "UPDATE sync_pending SET sent = {KEPT} WHERE tbl = $1 AND row_id = $2 AND register = $3"
        );
        execute(tx, &sql, values()).await?;
    }
    Ok(())
}
