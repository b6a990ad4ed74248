//! A push as a whole: one transaction, tables in order, then what follows from it.

use std::collections::{HashMap, HashSet};

use sea_orm::DatabaseTransaction;
use serde_json::value::RawValue;

use super::{
    Caller, ServerError, SyncServer, absorb,
    account::{self, Account, PushNo, Turn},
    cascade,
    cascade::Event,
    cursor::{self, Cursor, Pulled},
    exclusive::{self, Claim},
    incoming::Reading,
    quota,
};
use crate::{
    clocks::Timekeeper,
    planted::{Bug, Point, planted, reach},
    protocol::{ErrorCode, PushAnswer, PushRequest, TableVerdicts, Verdict, VerdictKind, name_in},
    registry::Registry,
    tx,
};

/// What a push knows and has done so far, table after table.
pub(crate) struct PushContext<'a> {
    pub(super) registry: &'a Registry,
    pub(super) caller: &'a Caller,
    pub(super) account: i64,
    pub(super) keeper: Timekeeper,
    pub(super) now_ms: i64,
    /// What the device had seen; nothing where no device pushes.
    pub(super) pulled: Pulled,
    pub(super) ids: &'a dyn crate::ids::Ids,
    pub(super) row_bytes: usize,
    /// Rows that the account may still get; none where there is no limit.
    pub(super) room: Option<u64>,
    /// The last position given out.
    pub(super) seq: i64,
    /// Rows that foreign keys of this push lead to, by table and by the name they were pushed with.
    pub(super) known: HashMap<String, HashMap<String, Known>>,
    /// Rows that stood in this push so far, by table.
    pub(super) seen: HashMap<&'static str, HashMap<String, Seen>>,
    /// Rows of this push that were not taken, by table.
    pub(super) rejected: HashMap<String, HashSet<String>>,
    /// Rows that may carry a flag which only one row of their scope may have.
    pub(super) claims: HashSet<Claim>,
    /// Deletes and undeletes whose consequences are still to come.
    pub(super) events: Vec<Event>,
}

/// How a row stood in a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Only its deletion: a device that deleted a row for good and made it anew sends both.
    Deletion,
    /// Anything else.
    Row,
}

/// A row that a foreign key leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    /// The name the row has, where it was asked for by an alias.
    pub(super) remote_id: String,
    pub(super) row_id: i64,
    pub(super) deleted_at: Option<i64>,
    /// The position in the feed that brought its deletion, or took it back.
    pub(super) since: i64,
}

impl PushContext<'_> {
    /// The next position in the feed.
    pub(super) fn next_seq(&mut self) -> i64 {
        self.seq += 1;
        self.seq
    }
}

impl SyncServer {
    /// Merges a device's changes into the account's rows.
    ///
    /// # Errors
    /// If the request as a whole cannot be carried out; then nothing has changed. What is wrong with a
    /// single row is its verdict.
    pub async fn push(&self, caller: &Caller, body: &[u8]) -> Result<PushAnswer, ServerError> {
        let request = self.parse(body)?;
        let push = PushNo {
            number: request.push_no,
            body_hash: account::hash(&request),
            sent_at_ms: request.now,
        };
        let push = || self.push_once(caller, &request, push);
        self.queues.retry(&caller.user_id, push).await
    }

    fn parse<'a>(&self, body: &'a [u8]) -> Result<PushRequest<'a>, ServerError> {
        let request: PushRequest<'_> = serde_json::from_slice(body)
            .map_err(|e| ServerError::bad_request(format!("this is no push: {e}")))?;
        self.speaks(request.protocol)?;
        let rows: usize = request.tables.iter().map(|table| table.rows.len()).sum();
        if rows > self.limits.push_rows {
            let message = format!(
                "{rows} rows in one push; send at most {}",
                self.limits.push_rows
            );
            return Err(ServerError::refused(ErrorCode::TooManyRows, message));
        }
        Ok(request)
    }

    pub(super) fn context<'a>(
        &'a self,
        caller: &'a Caller,
        account: &Account,
        keeper: Timekeeper,
        now_ms: i64,
    ) -> PushContext<'a> {
        PushContext {
            registry: &self.registry,
            caller,
            account: account.id,
            keeper,
            now_ms,
            pulled: Pulled::default(),
            ids: &*self.ids,
            row_bytes: self.limits.row_bytes,
            room: None,
            seq: account.head,
            known: HashMap::new(),
            seen: HashMap::new(),
            rejected: HashMap::new(),
            claims: HashSet::new(),
            events: Vec::new(),
        }
    }

    async fn push_once(
        &self,
        caller: &Caller,
        request: &PushRequest<'_>,
        push: PushNo,
    ) -> Result<PushAnswer, ServerError> {
        let reserved = match planted(Bug::SequenceForCounter) {
            true => Some(account::reserve(&self.db.write, &caller.user_id).await?),
            false => None,
        };
        reach(Point::PushCame).await;
        let tx = tx::begin_write(&self.db.write).await?;
        tx::begin_applying(&tx).await?;
        let account = account::lock(&tx, &caller.user_id).await?;
        reach(Point::PushLocked).await;
        let epoch = account::epoch(&tx).await?;
        if request.epoch.as_deref().is_some_and(|known| known != epoch) {
            let message = "the server's data began a new life, perhaps from a backup; pull from the beginning";
            return Err(ServerError::refused(ErrorCode::EpochChanged, message));
        }
        let from = may_push(&tx, &account, request, &epoch).await?;
        let now_ms = self.clock.now_ms();
        // A repetition gets the times it got at first: however late it comes, it brings nothing new.
        let (sent_at_ms, taken_at_ms) =
            match account::take_turn(&tx, account.id, caller.device, push, now_ms).await? {
                Turn::First => (request.now, now_ms),
                Turn::Again {
                    sent_at_ms,
                    taken_at_ms,
                } => (sent_at_ms, taken_at_ms),
                Turn::Overtaken { last } => return Err(ServerError::Overtaken { last }),
            };
        let keeper = Timekeeper::new(caller.device, sent_at_ms, taken_at_ms);
        let mut cx = self.context(caller, &account, keeper, now_ms);
        cx.pulled = Pulled::new(&epoch, from);
        cx.seq = reserved.unwrap_or(cx.seq);
        absorb::absorb(&tx, &mut cx).await?;
        cx.room = quota::room(&tx, account.id, self.limits.account_rows).await?;
        let before = cx.seq;
        let tables = merge_tables(&tx, &mut cx, request).await?;
        let after = cx.seq;
        cascade::follow(&tx, &mut cx).await?;
        exclusive::settle(&tx, &mut cx).await?;
        let now = match cx.seq == account.head || reserved.is_some() {
            true => account,
            false => account::set_head(&tx, &account, cx.seq, &*self.ids).await?,
        };
        tx::end_applying(&tx).await?;
        reach(Point::PushMerged).await;
        tx.commit().await?;
        reach(Point::PushCommitted).await;
        if cx.seq != account.head {
            self.tell_moved(&caller.user_id, account.id);
        }
        Ok(PushAnswer {
            before: cursor::write(&epoch, Cursor::inside(before, &account)),
            after: cursor::write(&epoch, Cursor::inside(after, &now)),
            epoch,
            tables,
        })
    }
}

impl PushContext<'_> {
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading {
            keeper: &self.keeper,
            pulled: &self.pulled,
            row_bytes: self.row_bytes,
        }
    }
}

/// A device that has missed a deletion, or knows what the server has lost, must not push: what it still has
/// would come back, or be sent anew without anybody being asked. How far it had pulled.
async fn may_push(
    tx: &DatabaseTransaction,
    account: &Account,
    request: &PushRequest<'_>,
    epoch: &str,
) -> Result<Cursor, ServerError> {
    let from = cursor::read(request.cursor.as_deref(), epoch)?;
    from.check(tx, Some(account)).await?;
    if from.seq == 0 && account.horizon > 0 {
        return Err(cursor::too_old());
    }
    Ok(from)
}

/// Merges table by table, parents first, whatever order the request has; answers in its order.
async fn merge_tables(
    tx: &DatabaseTransaction,
    cx: &mut PushContext<'_>,
    request: &PushRequest<'_>,
) -> Result<Vec<TableVerdicts>, ServerError> {
    let mut answers: Vec<Option<Vec<Verdict>>> = request.tables.iter().map(|_| None).collect();
    for registered in cx.registry.tables() {
        for (push, answer) in request.tables.iter().zip(&mut answers) {
            if push.table == registered.shape.table {
                let rows: Vec<&RawValue> = push.rows.iter().map(AsRef::as_ref).collect();
                *answer = Some(registered.table.merge_push(tx, cx, &rows).await?);
            }
        }
    }
    let verdicts = request
        .tables
        .iter()
        .zip(answers)
        .map(|(push, answer)| TableVerdicts {
            table: push.table.to_string(),
            rows: answer
                .unwrap_or_else(|| push.rows.iter().map(|row| unknown_table(row)).collect()),
        });
    Ok(verdicts.collect())
}

fn unknown_table(row: &RawValue) -> Verdict {
    rejected(
        &name_in(row),
        "unknown_table",
        None,
        "this server does not sync this table; update the server",
    )
}

/// A verdict for a row that was not taken.
pub(super) fn rejected(
    remote_id: &str,
    code: &str,
    field: Option<&str>,
    message: impl Into<String>,
) -> Verdict {
    Verdict {
        code: Some(code.to_owned()),
        field: field.map(str::to_owned),
        message: Some(message.into()),
        ..Verdict::plain(remote_id, VerdictKind::Rejected)
    }
}
