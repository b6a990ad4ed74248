//! One row explained: what it holds here and at the server, who set it and when, what is pending, and by
//! which rule the two come together.

mod register;
mod told;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement};

pub use told::{
    Explanation, GaveWay, Outlook, PendingEdit, RegisterNow, RowState, ServerSide, SetAt,
};

use register::Known;

use super::{Device, RowId, remote, row_id, row_id::Located};
use crate::{
    error::SyncError,
    protocol::{ErrorCode, RowAnswer},
    row_now::RowNow,
    shape::EVERY_REGISTER,
    transport::Transport,
    tx,
};

/// What is pending of a row, by register.
type Pending = Vec<(String, PendingEdit)>;

impl Device {
    /// Explains one row. Without a transport, or where the server is not reached, what this device knows.
    ///
    /// # Errors
    /// If there is no such row or table, here or at the server, or the database fails.
    pub async fn explain(
        &self,
        transport: Option<&dyn Transport>,
        table: &str,
        id: &RowId,
    ) -> Result<Explanation, SyncError> {
        let row = self.locate(&self.db, table, id).await?;
        let asked = match (transport, &row.remote_id) {
            (None, _) => Err((
                "not_asked".to_owned(),
                "the server was not asked".to_owned(),
            )),
            (Some(_), None) => {
                let message = "the row has never been sent, so the server has nothing of it";
                Err(("never_sent".to_owned(), message.to_owned()))
            }
            (Some(transport), Some(name)) => remote::row(transport, table, name)
                .await
                .map_err(|error| (error.word().to_owned(), error.to_string())),
        };
        let nowhere = row.row_id.is_none() && row.gone_ms.is_none();
        if let Err((word, _)) = &asked
            && nowhere
            && (word == ErrorCode::UnknownRow.as_str() || transport.is_none())
        {
            return Err(row_id::unknown(table, id));
        }
        self.explanation(&row, asked).await
    }

    async fn explanation(
        &self,
        row: &Located<'_>,
        asked: Result<RowAnswer, (String, String)>,
    ) -> Result<Explanation, SyncError> {
        let table = row.registered.shape.table;
        let tx = tx::begin_read(&self.db).await?;
        let ids: Vec<i64> = row.row_id.into_iter().collect();
        let mut now = row.registered.table.now(&tx, &ids).await?;
        let here = now.rows.pop();
        let pending = match row.row_id {
            Some(row_id) => pending(&tx, table, row_id).await?,
            None => Pending::new(),
        };
        let gave_way = gave_way(&tx, row).await?;
        tx.commit().await?;
        let is_it = |t: &str, id: Option<i64>, name: Option<&str>| {
            let same_name = name.is_some() && name == row.remote_id.as_deref();
            t == table && (same_name || (id.is_some() && id == row.row_id))
        };
        let mut rejected = self.rejected().await?.into_iter();
        let mut quarantined = self.quarantined().await?.into_iter();
        let there = asked.as_ref().ok();
        let known = Known {
            shape: row.registered.shape,
            here: here.as_ref(),
            pending: &pending,
            gave_way: &gave_way,
            there,
        };
        let registers = known
            .shape
            .registers
            .iter()
            .map(|register| known.told(register));
        Ok(Explanation {
            table: table.to_owned(),
            row_id: row.row_id,
            remote_id: row.remote_id.clone(),
            here: state_of(row, here.as_ref(), !now.unreadable.is_empty()),
            deleted_ms: here
                .as_ref()
                .and_then(|here| here.deleted_at)
                .or(row.gone_ms),
            rejected: rejected.find(|r| is_it(&r.table, Some(r.row_id), r.remote_id.as_deref())),
            quarantined: quarantined.find(|q| is_it(&q.table, q.row_id, Some(&q.remote_id))),
            registers: registers.collect(),
            gave_way,
            server: there.map(|there| server_side(row, there)),
            server_error: asked.as_ref().err().map(|(word, _)| word.clone()),
            server_message: asked.err().map(|(_, message)| message),
        })
    }
}

fn state_of(row: &Located<'_>, here: Option<&RowNow>, unreadable: bool) -> RowState {
    match here {
        Some(here) if here.deleted_at.is_some() => RowState::Deleted,
        Some(_) => RowState::Live,
        None if unreadable => RowState::Unreadable,
        None if row.gone_ms.is_some() => RowState::Gone,
        None => RowState::Absent,
    }
}

fn server_side(row: &Located<'_>, there: &RowAnswer) -> ServerSide {
    ServerSide {
        remote_id: there.remote_id.clone(),
        is_alias: row
            .remote_id
            .as_ref()
            .is_some_and(|name| *name != there.remote_id),
        aliases: there.aliases.clone(),
        at_ms: there.at,
        deleted_ms: there.deleted_at,
        gone: there.gone,
        unreadable: there.unreadable,
    }
}

async fn pending(tx: &DatabaseTransaction, table: &str, row_id: i64) -> Result<Pending, DbErr> {
    let sql = "SELECT register, base, edited_at, edits, max(sent, 0) AS sent FROM sync_pending
               WHERE tbl = $1 AND row_id = $2 ORDER BY register";
    let values = [table.into(), row_id.into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let read = |row: &QueryResult| {
        let register: String = row.try_get("", "register")?;
        let edit = PendingEdit {
            edited_ms: row.try_get("", "edited_at")?,
            n_edits: row.try_get("", "edits")?,
            n_sent: row.try_get("", "sent")?,
            before: row.try_get("", "base")?,
            whole: register == EVERY_REGISTER,
        };
        Ok((register, edit))
    };
    tx.query_all_raw(statement)
        .await?
        .iter()
        .map(read)
        .collect()
}

async fn gave_way(tx: &DatabaseTransaction, row: &Located<'_>) -> Result<Vec<GaveWay>, DbErr> {
    let sql = "SELECT register, local, remote, at, edited_at FROM sync_conflict
               WHERE tbl = $1 AND remote_id = $2 ORDER BY id DESC LIMIT 20";
    let values = [
        row.registered.shape.table.into(),
        row.remote_id.clone().into(),
    ];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let read = |row: &QueryResult| {
        Ok(GaveWay {
            register: row.try_get("", "register")?,
            local: row.try_get("", "local")?,
            remote: row.try_get("", "remote")?,
            edited_ms: row.try_get("", "edited_at")?,
            at_ms: row.try_get("", "at")?,
        })
    };
    tx.query_all_raw(statement)
        .await?
        .iter()
        .map(read)
        .collect()
}
