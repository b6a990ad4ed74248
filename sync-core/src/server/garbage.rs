//! Forgetting tombstones: rows that were deleted so long ago that whoever has not heard of it yet has to
//! pull anew.
//!
//! What is forgotten is a beginning of the feed, up to the account's horizon. A device whose cursor lies
//! before it is refused, whether it pulls or pushes, until it has pulled everything again; so no deleted row
//! comes back through it. A row that others still refer to stays, until a later time.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};

use super::{
    ServerError, SyncServer,
    account::{self, Account},
    feed,
};
use crate::{
    bulk::CHUNK,
    planted::{Bug, planted},
    registry::{Registered, Registry},
    retry::retry,
    rows::placeholders,
    tx,
};

/// Tombstones that are looked at in one transaction.
const BATCH: u32 = 2_000;

/// What was collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Accounts in which tombstones were forgotten.
    pub n_accounts: u64,
    /// Tombstones that were forgotten.
    pub n_tombstones: u64,
    /// Accounts that failed; the log says why.
    pub n_failed: u64,
}

/// Whether a collection is to go on: asked before each of its transactions.
pub type GoOn = dyn Fn() -> bool + Send + Sync;

/// Which tombstones are old enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Old {
    /// Those of rows that were deleted before this time, by the rows' own stamps.
    DeletedBefore(i64),
    /// Those that stand in the feed up to and including this position.
    UpTo(i64),
}

impl SyncServer {
    /// Forgets, in every account, the rows that were deleted before the time `older_than_ms`, in
    /// milliseconds since 1970. It believes the rows' stamps: a server whose clock may be wrong forgets by
    /// [`SyncServer::collect_aged`].
    ///
    /// # Errors
    /// If the database fails. What was forgotten of accounts before stays so.
    pub async fn collect_garbage(&self, older_than_ms: i64) -> Result<Garbage, ServerError> {
        let mut garbage = Garbage::default();
        for user_id in retry(|| accounts_with_tombstones(&self.db.read)).await? {
            let old = Old::DeletedBefore(older_than_ms);
            garbage.add(self.collect_account(&user_id, old, &|| true).await?);
        }
        Ok(garbage)
    }

    /// Forgets the old tombstones of an account, as long as it is told to go on; how many they were.
    pub(super) async fn collect_account(
        &self,
        user_id: &str,
        old: Old,
        go_on: &GoOn,
    ) -> Result<u64, ServerError> {
        let (mut behind, mut n_tombstones) = (0, 0);
        while go_on() {
            let (n, next) = retry(|| self.collect_batch(user_id, old, behind)).await?;
            n_tombstones += n;
            match next {
                Some(next) => behind = next,
                None => break,
            }
        }
        Ok(n_tombstones)
    }

    /// Looks at the tombstones behind a position; where to go on, if there may be more.
    async fn collect_batch(
        &self,
        user_id: &str,
        old: Old,
        behind: i64,
    ) -> Result<(u64, Option<i64>), ServerError> {
        let tx = tx::begin_write(&self.db.write).await?;
        tx::begin_applying(&tx).await?;
        let account = account::lock(&tx, user_id).await?;
        let mut tombstones = feed::tombstones(&tx, account.id, behind, old.up_to(), BATCH).await?;
        let (full, n_looked_at) = (tombstones.len() == BATCH as usize, tombstones.len());
        let young = tombstones.iter().position(|entry| !old.is(entry));
        tombstones.truncate(young.unwrap_or(n_looked_at));
        let Some(horizon) = tombstones.last().map(|entry| entry.seq) else {
            return Ok((0, None));
        };
        let more = full && tombstones.len() == n_looked_at;
        let n_forgotten = forget(&tx, &self.registry, account.id, tombstones).await?;
        if !planted(Bug::ForgottenUnnoticed) {
            move_horizon(&tx, &account, horizon).await?;
        }
        tx::end_applying(&tx).await?;
        tx.commit().await?;
        Ok((n_forgotten, more.then_some(horizon)))
    }
}

impl Garbage {
    /// Counts what was collected of one account.
    pub(super) fn add(&mut self, n_tombstones: u64) {
        self.n_accounts += u64::from(n_tombstones > 0);
        self.n_tombstones += n_tombstones;
    }
}

impl Old {
    fn up_to(self) -> i64 {
        match self {
            Self::DeletedBefore(_) => i64::MAX,
            Self::UpTo(seq) => seq,
        }
    }

    fn is(self, entry: &feed::Entry) -> bool {
        match self {
            Self::DeletedBefore(time_ms) => entry.deletion_stamp().at() < time_ms,
            Self::UpTo(seq) => entry.seq <= seq,
        }
    }
}

async fn accounts_with_tombstones<C: ConnectionTrait>(db: &C) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT a.user_id FROM sync_account a WHERE EXISTS
                 (SELECT 1 FROM sync_feed f WHERE f.account = a.id AND f.deleted_at IS NOT NULL) ORDER BY a.id";
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    rows.iter().map(|row| row.try_get("", "user_id")).collect()
}

/// Removes deleted rows and all that is known of them, children before their parents; how many they were.
async fn forget(
    tx: &DatabaseTransaction,
    registry: &Registry,
    account: i64,
    tombstones: Vec<feed::Entry>,
) -> Result<u64, DbErr> {
    let mut by_table: BTreeMap<String, Vec<feed::Entry>> = BTreeMap::new();
    for entry in tombstones {
        by_table.entry(entry.table.clone()).or_default().push(entry);
    }
    let mut n_forgotten = 0;
    for registered in registry.tables().iter().rev() {
        let entries = by_table.remove(registered.shape.table);
        for entries in entries.iter().flat_map(|entries| entries.chunks(CHUNK)) {
            remove_rows(tx, registry, registered, entries).await?;
            n_forgotten += forget_entries(tx, registered, account, entries).await?;
        }
    }
    Ok(n_forgotten)
}

/// Removes those of the rows that are still there, and that no row refers to.
async fn remove_rows(
    tx: &DatabaseTransaction,
    registry: &Registry,
    registered: &Registered,
    entries: &[feed::Entry],
) -> Result<(), DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let alone: Vec<String> = registry
        .referring_to(table)
        .map(|(child, target)| {
            format!(
                " AND NOT EXISTS (SELECT 1 FROM \"{}\" c WHERE c.\"{}\" = \"{table}\".\"{id}\")",
                child.shape.table, target.column
            )
        })
        .collect();
    // Another row may have come to a deleted one's id.
    let n = entries.len();
    let sql = format!(
        "DELETE FROM \"{table}\" WHERE \"{id}\" IN ({}) AND remote_id IN ({}) AND deleted_at IS NOT NULL{}",
        placeholders(1, n),
        placeholders(n + 1, n),
        alone.concat()
    );
    let ids = entries.iter().map(|entry| Value::from(entry.row_id));
    let names = entries.iter().map(|entry| entry.remote_id.as_str().into());
    tx::execute(tx, &sql, ids.chain(names).collect()).await
}

/// Removes the feed's entries of rows that are gone, with the other names of these rows.
async fn forget_entries(
    tx: &DatabaseTransaction,
    registered: &Registered,
    account: i64,
    entries: &[feed::Entry],
) -> Result<u64, DbErr> {
    let table = registered.shape.table;
    let names = placeholders(3, entries.len());
    let values: Vec<Value> = [account.into(), table.into()]
        .into_iter()
        .chain(entries.iter().map(|entry| entry.remote_id.as_str().into()))
        .collect();
    let sql = format!(
        "DELETE FROM sync_feed WHERE account = $1 AND tbl = $2 AND remote_id IN ({names})
           AND NOT EXISTS (SELECT 1 FROM \"{table}\" t WHERE t.remote_id = sync_feed.remote_id AND t.\"{}\" = sync_feed.row_id)",
        registered.shape.id
    );
    let backend = tx.get_database_backend();
    let forgotten = tx
        .execute_raw(Statement::from_sql_and_values(backend, sql, values.clone()))
        .await?;
    let sql = format!(
        "DELETE FROM sync_alias WHERE account = $1 AND tbl = $2 AND remote_id IN ({names})
           AND NOT EXISTS (SELECT 1 FROM sync_feed f
             WHERE f.account = $1 AND f.tbl = $2 AND f.remote_id = sync_alias.remote_id)"
    );
    tx::execute(tx, &sql, values).await?;
    Ok(forgotten.rows_affected())
}

/// Never back.
async fn move_horizon(
    tx: &DatabaseTransaction,
    account: &Account,
    horizon: i64,
) -> Result<(), DbErr> {
    if horizon <= account.horizon {
        return Ok(());
    }
    let sql = "UPDATE sync_account SET horizon = $1 WHERE id = $2";
    tx::execute(tx, sql, vec![horizon.into(), account.id.into()]).await?;
    account::forget_marks(tx, account.id, horizon).await
}
