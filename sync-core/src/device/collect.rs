//! Pending changes into bounded batches, parents before children.

use std::{borrow::Cow, collections::BTreeMap};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};
use serde_json::value::{RawValue, to_raw_value};

use super::{
    BatchLimits, Device, Outgoing, State, Wanted, Withheld, drift, kept, resend, settle, state,
    sync::Session, undone,
};
use crate::{
    error::SyncError,
    owner,
    protocol::{PROTOCOL_VERSION, PushRequest, PushRow, ServerSchema, TablePush},
    registry::Registered,
    rows::placeholders,
    schema::text,
    shape::{DELETED_AT, EVERY_REGISTER},
    tx,
    wire::Millis,
};

/// A push ready to be sent. Everything in it is kept, so that it can be sent again after a crash.
pub(super) struct Batch {
    pub(super) push_no: i64,
    pub(super) body: Vec<u8>,
    pub(super) tables: Vec<SentTable>,
}

/// What a batch holds of one table, in the order of the request.
pub(super) struct SentTable {
    pub(super) table: String,
    /// Whether these rows are gone from their table.
    pub(super) gone: bool,
    pub(super) rows: Vec<SentRow>,
    json: Vec<Box<RawValue>>,
}

/// A row as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SentRow {
    pub(super) row_id: i64,
    pub(super) remote_id: String,
}

impl SentTable {
    pub(super) fn new(table: String, gone: bool, rows: Vec<SentRow>) -> Self {
        Self {
            table,
            gone,
            rows,
            json: Vec::new(),
        }
    }
}

/// Whose rows are collected of a table, and what not.
struct From<'a> {
    state: &'a State,
    user: &'a str,
    withheld: Withheld,
}

/// How far collecting has come: each pending row is looked at once in a pass, rejected ones too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Rows that are gone from their tables, behind this table, id and name: first, because they free
    /// their keys.
    Gone { after: (String, i64, String) },
    /// The table with this number, behind this row.
    Table { number: usize, after: i64 },
}

impl Batch {
    pub(super) fn n_rows(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }
}

/// A batch that is being filled.
struct Filling {
    tables: Vec<SentTable>,
    rows_left: usize,
    bytes_left: usize,
    /// Most bytes of one row.
    row_bytes: usize,
    full: bool,
}

impl Device {
    /// The next batch, or none when all pending changes have been looked at.
    ///
    /// Rows get their names and their counts of sent edits here, before they are sent.
    pub(super) async fn collect(
        &self,
        session: Session<'_>,
        progress: &mut Progress,
        limits: BatchLimits,
    ) -> Result<Option<Batch>, SyncError> {
        if !self.anything_pending().await? {
            return Ok(None);
        }
        let tx = tx::begin_write(&self.db).await?;
        tx::begin_applying(&tx).await?;
        let state = state::load(&tx).await?;
        // Rows of another account must not go where this sync sends.
        session.check(&state)?;
        let user = state.local_user_id.clone().ok_or(SyncError::NotConnected)?;
        let server = state.server();
        let mut filling = Filling {
            tables: Vec::new(),
            rows_left: limits.push_rows,
            bytes_left: limits.push_bytes,
            row_bytes: limits.row_bytes,
            full: false,
        };
        if let Progress::Gone { after } = progress {
            let last = self
                .collect_gone(&tx, &state, after, server.as_ref(), &mut filling)
                .await?;
            *progress = match last.filter(|_| filling.full) {
                Some(after) => Progress::Gone { after },
                None => Progress::start_of(0),
            };
        }
        while let (false, &mut Progress::Table { number, after }) = (filling.full, &mut *progress) {
            let Some(registered) = self.registry.tables().get(number) else {
                break;
            };
            let from = From {
                state: &state,
                user: &user,
                withheld: Withheld::of(registered.shape, server.as_ref()),
            };
            *progress = match self
                .collect_table(&tx, registered, &from, after, &mut filling)
                .await?
            {
                Some(after) => Progress::Table { number, after },
                None => Progress::start_of(number + 1),
            };
        }
        filling.tables.retain(|table| !table.rows.is_empty());
        let push_no = state.push_no + 1;
        let batch = match filling.tables.is_empty() {
            true => None,
            false => Some(self.batch(filling, push_no, &state)?),
        };
        if let Some(batch) = &batch {
            state::save_push_no(&tx, push_no).await?;
            resend::keep(&tx, batch).await?;
        }
        tx::end_applying(&tx).await?;
        tx.commit().await?;
        Ok(batch)
    }

    fn batch(&self, mut filling: Filling, push_no: i64, state: &State) -> Result<Batch, SyncError> {
        let tables = filling.tables.iter_mut().map(|table| TablePush {
            table: Cow::Owned(table.table.clone()),
            rows: std::mem::take(&mut table.json)
                .into_iter()
                .map(Cow::Owned)
                .collect(),
        });
        let request = PushRequest {
            protocol: PROTOCOL_VERSION,
            push_no,
            now: self.clock.now_ms(),
            epoch: state.epoch.as_deref().map(Cow::Borrowed),
            cursor: state.cursor.as_deref().map(Cow::Borrowed),
            tables: tables.collect(),
        };
        let body = serde_json::to_vec(&request).map_err(|e| DbErr::Json(e.to_string()))?;
        Ok(Batch {
            push_no,
            body,
            tables: filling.tables,
        })
    }

    /// Rows gone from their tables; the last one taken.
    async fn collect_gone(
        &self,
        tx: &DatabaseTransaction,
        state: &State,
        after: &(String, i64, String),
        server: Option<&ServerSchema>,
        filling: &mut Filling,
    ) -> Result<Option<(String, i64, String)>, DbErr> {
        let sql = format!(
            "SELECT tbl, row_id, remote_id, edited_at, cursor FROM sync_deleted
             WHERE (tbl, row_id, remote_id) > ($1, $2, $3){} ORDER BY tbl, row_id, remote_id LIMIT {}",
            self.known_tables(server),
            filling.rows_left
        );
        let values = [
            after.0.as_str().into(),
            after.1.into(),
            after.2.as_str().into(),
        ];
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        let mut last = None;
        for row in tx.query_all_raw(statement).await? {
            let (table, remote_id): (String, String) =
                (row.try_get("", "tbl")?, row.try_get("", "remote_id")?);
            let (row_id, edited_at): (i64, i64) =
                (row.try_get("", "row_id")?, row.try_get("", "edited_at")?);
            let row_cursor: Option<String> = row.try_get("", "cursor")?;
            let deleted: BTreeMap<_, _> = [(DELETED_AT, Millis(edited_at))].into();
            let cursor = older_cursor(&row_cursor, state);
            let json = to_raw_value(&PushRow {
                remote_id: remote_id.clone(),
                changed: [(DELETED_AT.to_owned(), edited_at)].into(),
                cursors: cursor
                    .map(|c| (DELETED_AT.to_owned(), c))
                    .into_iter()
                    .collect(),
                row: deleted,
            });
            let json = json.map_err(|e| DbErr::Json(e.to_string()))?;
            last = Some((table.clone(), row_id, remote_id.clone()));
            filling.add(&table, true, SentRow { row_id, remote_id }, json);
        }
        Ok(last)
    }

    /// A condition that leaves out tables which the server does not know, or nothing.
    fn known_tables(&self, server: Option<&ServerSchema>) -> String {
        let tables = self.registry.tables().iter();
        let unknown = tables.filter(|t| Withheld::of(t.shape, server).table);
        let unknown: Vec<String> = unknown.map(|t| text(t.shape.table)).collect();
        match unknown.is_empty() {
            true => String::new(),
            false => format!(" AND tbl NOT IN ({})", unknown.join(", ")),
        }
    }

    /// Pending rows of a table behind a row; the row to go on behind, or none at the table's end.
    async fn collect_table(
        &self,
        tx: &DatabaseTransaction,
        registered: &Registered,
        from: &From<'_>,
        after: i64,
        filling: &mut Filling,
    ) -> Result<Option<i64>, SyncError> {
        if from.withheld.table {
            return Ok(None);
        }
        drift::hold_back(tx, registered.shape, &from.withheld).await?;
        let table = registered.shape.table;
        let (mut wanted, mut more) = self
            .wanted(tx, registered, from, after, filling.rows_left)
            .await?;
        let Some(mut last) = wanted.last().map(|w| w.row_id) else {
            return Ok(None);
        };
        let left_out = from.withheld.left_out();
        if undone::forget_between(tx, registered.shape, &left_out, after, last).await? {
            (wanted, more) = self
                .wanted(tx, registered, from, after, filling.rows_left)
                .await?;
            let Some(new_last) = wanted.last().map(|w| w.row_id) else {
                return Ok(None);
            };
            last = new_last;
        }
        let (mut sent, mut partly) = (Vec::new(), Vec::new());
        for (outgoing, wanted) in registered
            .table
            .outgoing(tx, &wanted, &from.withheld)
            .await?
            .into_iter()
            .zip(&wanted)
        {
            if filling.full {
                (last, more) = (wanted.row_id - 1, true);
                break;
            }
            match outgoing {
                Outgoing::Ready {
                    row_id,
                    remote_id,
                    json,
                    ..
                } if json.get().len() > filling.row_bytes => {
                    let message = format!(
                        "the row has more than {} bytes; shorten it",
                        filling.row_bytes
                    );
                    let rejection = settle::Rejection {
                        remote_id: &remote_id,
                        code: "row_too_large",
                        field: None,
                        message: Some(&message),
                    };
                    self.refuse(tx, table, row_id, &rejection).await?;
                }
                Outgoing::Ready {
                    row_id,
                    remote_id,
                    json,
                    kept,
                } => {
                    if let Some(kept) = kept {
                        self.refuse_unreadable(tx, table, row_id, &remote_id, &kept.fault)
                            .await?;
                        partly.push((row_id, kept.registers));
                    }
                    sent.push(row_id);
                    filling.add(table, false, SentRow { row_id, remote_id }, json);
                }
                Outgoing::Forget { row_id } => settle::forget(tx, registered, &[row_id]).await?,
                Outgoing::Unreadable { row_id, fault } => {
                    self.refuse_unreadable(tx, table, row_id, "", &fault)
                        .await?;
                }
                Outgoing::Hold => {}
            }
        }
        mark_sent(tx, table, &from.withheld, &sent).await?;
        for (row_id, registers) in partly {
            kept::mark(tx, table, row_id, &registers).await?;
        }
        Ok(more.then_some(last))
    }

    pub(super) async fn refuse(
        &self,
        tx: &DatabaseTransaction,
        table: &str,
        row_id: i64,
        rejection: &settle::Rejection<'_>,
    ) -> Result<(), DbErr> {
        settle::reject(tx, table, row_id, rejection, self.clock.now_ms()).await
    }

    /// Rows with pending changes, and whether there are more behind them.
    async fn wanted(
        &self,
        tx: &DatabaseTransaction,
        registered: &Registered,
        from: &From<'_>,
        after: i64,
        limit: usize,
    ) -> Result<(Vec<Wanted>, bool), DbErr> {
        let most = limit + registered.shape.registers.len() + 1;
        let sql = format!(
            "SELECT row_id, register, edited_at, cursor FROM sync_pending
             WHERE tbl = $2 AND row_id > $3 AND {}{} ORDER BY row_id LIMIT {most}",
            owner::owns_row(&self.registry, registered, "sync_pending.row_id"),
            from.withheld.left_out()
        );
        let values = [
            from.user.into(),
            registered.shape.table.into(),
            after.into(),
        ];
        let rows = tx
            .query_all_raw(Statement::from_sql_and_values(
                tx.get_database_backend(),
                sql,
                values,
            ))
            .await?;
        let cut_short = rows.len() == most;
        let mut wanted: Vec<Wanted> = Vec::new();
        for row in rows {
            let (row_id, register): (i64, String) =
                (row.try_get("", "row_id")?, row.try_get("", "register")?);
            let edited_at: i64 = row.try_get("", "edited_at")?;
            let cursor: Option<String> = row.try_get("", "cursor")?;
            let cursor = match register == EVERY_REGISTER {
                true => cursor,
                false => older_cursor(&cursor, from.state),
            };
            if wanted.last().is_none_or(|w| w.row_id != row_id) {
                wanted.push(Wanted {
                    row_id,
                    changed: BTreeMap::new(),
                    cursors: BTreeMap::new(),
                    new_name: self.ids.next(),
                });
            }
            if let Some(wanted) = wanted.last_mut() {
                if let Some(cursor) = cursor {
                    wanted.cursors.insert(register.clone(), cursor);
                }
                wanted.changed.insert(register, edited_at);
            }
        }
        if cut_short {
            // The last row's registers may not all be there.
            wanted.pop();
        }
        let more = cut_short || wanted.len() > limit;
        wanted.truncate(limit);
        Ok((wanted, more))
    }
}

impl Progress {
    /// Before anything was looked at.
    pub(super) fn start() -> Self {
        Self::Gone {
            after: (String::new(), i64::MIN, String::new()),
        }
    }

    fn start_of(number: usize) -> Self {
        Self::Table {
            number,
            after: i64::MIN,
        }
    }
}

impl Filling {
    fn add(&mut self, table: &str, gone: bool, row: SentRow, json: Box<RawValue>) {
        self.rows_left = self.rows_left.saturating_sub(1);
        self.bytes_left = self.bytes_left.saturating_sub(json.get().len());
        self.full = self.rows_left == 0 || self.bytes_left == 0;
        if self
            .tables
            .last()
            .is_none_or(|last| last.table != table || last.gone != gone)
        {
            self.tables
                .push(SentTable::new(table.to_owned(), gone, Vec::new()));
        }
        if let Some(last) = self.tables.last_mut() {
            last.rows.push(row);
            last.json.push(json);
        }
    }
}

/// The cursor an edit was made at, unless it is the one the device has still. Where it is not known, the
/// device may have seen nothing.
fn older_cursor(cursor: &Option<String>, state: &State) -> Option<String> {
    let cursor = cursor.as_deref().unwrap_or("0");
    (cursor != state.cursor.as_deref().unwrap_or("0")).then(|| cursor.to_owned())
}

/// Keeps how many edits of each register go out: later ones are told from them by their count.
async fn mark_sent(
    tx: &DatabaseTransaction,
    table: &str,
    withheld: &Withheld,
    rows: &[i64],
) -> Result<(), DbErr> {
    for rows in rows.chunks(crate::bulk::CHUNK) {
        let sql = format!(
            "UPDATE sync_pending SET sent = edits WHERE tbl = $1 AND row_id IN ({}){}",
            placeholders(2, rows.len()),
            withheld.left_out()
        );
        let values: Vec<Value> = std::iter::once(table.into())
            .chain(rows.iter().map(|id| (*id).into()))
            .collect();
        state::execute(tx, &sql, values).await?;
    }
    Ok(())
}
