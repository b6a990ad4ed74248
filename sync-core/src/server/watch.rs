//! What a server needs that tells devices when their feed has moved.
//!
//! All of it serves hints. A device that misses one pulls what it missed the next time.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};

use super::{
    Caller, ServerError, SyncServer,
    account::{self, Account},
    cursor::{self, Cursor},
};
use crate::{bulk::CHUNK, owner, registry::Registered, retry::retry, rows::placeholders};

/// Told the account and its number, right after a transaction of this engine has moved its feed.
pub type OnMoved = Arc<dyn Fn(&str, i64) + Send + Sync>;

/// Where an account's feed ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEnd {
    /// The account's number; none if it has never synced.
    pub account: Option<i64>,
    /// The cursor of who has pulled all of it.
    pub head: String,
}

impl SyncServer {
    /// The same engine, which tells when it has moved a feed.
    #[must_use]
    pub fn on_moved(mut self, tell: OnMoved) -> Self {
        self.on_moved = Some(tell);
        self
    }

    pub(super) fn tell_moved(&self, user_id: &str, account: i64) {
        if let Some(tell) = &self.on_moved {
            tell(user_id, account);
        }
    }

    /// Where the feeds of these accounts end.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn feed_ends(
        &self,
        user_ids: &[String],
    ) -> Result<HashMap<String, FeedEnd>, ServerError> {
        let epoch = self.epoch().await?;
        let mut found = HashMap::new();
        for user_ids in user_ids.chunks(CHUNK) {
            found.extend(retry(|| accounts(&self.db.read, user_ids)).await?);
        }
        let ends = user_ids.iter().map(|user_id| {
            let account = found.get(user_id);
            let cursor = account.map_or_else(Cursor::default, Cursor::end);
            let end = FeedEnd {
                account: account.map(|account| account.id),
                head: cursor::write(&epoch, cursor),
            };
            (user_id.clone(), end)
        });
        Ok(ends.collect())
    }

    /// Absorbs edits made in the server's own database that wait for one of these accounts. An account that
    /// fails keeps no other one waiting.
    ///
    /// # Errors
    /// If the database fails; of several accounts that fail, the last one's failure.
    pub async fn absorb_those(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Send + Sync),
    ) -> Result<(), ServerError> {
        if !self.anything_pending().await? {
            return Ok(());
        }
        let mut result = Ok(());
        for user_id in retry(|| self.owners_of_pending()).await? {
            if wanted(&user_id) {
                let absorbed = self.absorb(&Caller { user_id, device: 0 }).await;
                result = absorbed.and(result);
            }
        }
        result
    }

    /// Whose edits wait. Few do at a time, whatever the number of accounts.
    async fn owners_of_pending(&self) -> Result<BTreeSet<String>, DbErr> {
        let db = &self.db.read;
        let deleted = "SELECT DISTINCT a.user_id AS owner FROM sync_deleted d
             JOIN sync_feed f ON f.remote_id = d.remote_id AND f.tbl = d.tbl JOIN sync_account a ON a.id = f.account";
        let mut owners = self::owners(db, deleted, vec![]).await?;
        for registered in self.registry.tables() {
            let sql = self.owners_in(registered);
            let found = self::owners(db, &sql, vec![registered.shape.table.into()]).await?;
            owners.extend(found);
        }
        Ok(owners)
    }

    fn owners_in(&self, registered: &Registered) -> String {
        let shape = registered.shape;
        format!(
            "SELECT DISTINCT {} AS owner FROM sync_pending p JOIN \"{}\" o0 ON o0.\"{}\" = p.row_id WHERE p.tbl = $1",
            owner::owner_of(&self.registry, registered, "o0"),
            shape.table,
            shape.id
        )
    }
}

async fn owners<C: ConnectionTrait>(
    db: &C,
    sql: &str,
    values: Vec<Value>,
) -> Result<BTreeSet<String>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let mut owners = BTreeSet::new();
    for row in db.query_all_raw(statement).await? {
        owners.extend(row.try_get::<Option<String>>("", "owner")?);
    }
    Ok(owners)
}

async fn accounts<C: ConnectionTrait>(
    db: &C,
    user_ids: &[String],
) -> Result<Vec<(String, Account)>, DbErr> {
    let sql = format!(
        "SELECT user_id, id, head, horizon, mark FROM sync_account WHERE user_id IN ({})",
        placeholders(1, user_ids.len())
    );
    let values: Vec<Value> = user_ids.iter().map(|id| id.as_str().into()).collect();
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "user_id")?, account::from_row(row)?)))
        .collect()
}
