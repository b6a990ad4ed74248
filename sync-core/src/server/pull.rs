//! A pull: one closed page of the change feed.

use std::collections::{HashMap, HashSet};

use sea_orm::{DatabaseTransaction, DbErr};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Caller, Entry, PageRow, ServerError, SyncServer, account,
    cursor::{self, Cursor},
    feed,
    page::by_table,
};
use crate::{
    protocol::{PROTOCOL_VERSION, PullPage, TablePage},
    retry::retry,
    tx,
};

/// Most bytes of rows in one page, beyond its first row.
const PAGE_BYTES: usize = 4 << 20;

/// Rows of a page when the device does not say.
const DEFAULT_LIMIT: u32 = 1_000;

/// What a pull asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct PullQuery {
    /// Where to go on; none, empty or `0` for the beginning.
    pub cursor: Option<String>,
    /// Most rows of the page. More than the server's limit counts as the limit.
    pub limit: Option<u32>,
    /// The protocol of the device; none for this server's.
    pub protocol: Option<u32>,
    /// The fingerprint of what the device knows the server to sync: told anew if it is something else. Not
    /// told at all if there is none.
    pub schema: Option<String>,
    /// Only rows of these tables, joined by commas; none for all.
    pub tables: Option<String>,
}

/// Which entries of the feed are asked for.
struct Which {
    from: Cursor,
    limit: u32,
    only: Option<Vec<String>>,
}

impl SyncServer {
    /// The rows that changed behind the cursor.
    ///
    /// # Errors
    /// If the cursor is not of this server's present data, or the database fails.
    pub async fn pull(&self, caller: &Caller, query: &PullQuery) -> Result<PullPage, ServerError> {
        self.speaks(query.protocol.unwrap_or(PROTOCOL_VERSION))?;
        let limit = query
            .limit
            .unwrap_or(DEFAULT_LIMIT)
            .min(self.limits.page_rows);
        if limit == 0 {
            return Err(ServerError::bad_request("limit must be at least 1"));
        }
        self.absorb(caller).await?;
        retry(|| self.pull_once(caller, query, limit)).await
    }

    async fn pull_once(
        &self,
        caller: &Caller,
        query: &PullQuery,
        limit: u32,
    ) -> Result<PullPage, ServerError> {
        let tx = tx::begin_read(&self.db.read).await?;
        let epoch = account::epoch(&tx).await?;
        let from = cursor::read(query.cursor.as_deref(), &epoch)?;
        let account = account::find(&tx, &caller.user_id).await?;
        from.check(&tx, account.as_ref()).await?;
        let only = query.tables.as_deref().map(|tables| self.named(tables));
        let mut page = match account {
            None => empty(epoch),
            Some(account) => {
                let which = Which { from, limit, only };
                self.page(&tx, &epoch, account, &which).await?
            }
        };
        tx.commit().await?;
        let tell = query.schema.as_ref();
        page.schema = tell
            .filter(|known| **known != self.schema.fingerprint)
            .map(|_| (*self.schema).clone());
        Ok(page)
    }

    /// The tables of a list that are synced here. A list of none stands for none.
    fn named(&self, tables: &str) -> Vec<String> {
        let names = tables.split(',').take(self.registry.tables().len());
        let known = names.filter(|name| self.registry.get(name).is_some());
        known.map(str::to_owned).collect()
    }

    async fn page(
        &self,
        tx: &DatabaseTransaction,
        epoch: &str,
        account: account::Account,
        which: &Which,
    ) -> Result<PullPage, ServerError> {
        let (from, limit) = (which.from, which.limit);
        let entries = feed::after(tx, account.id, from.seq, limit, which.only.as_deref()).await?;
        let mut last = entries.last().map_or(from.seq, |entry| entry.seq);
        let full = entries.len() == limit as usize;
        let mut rows = self.page_of(tx, entries).await?;
        let cut = cut_at(&rows);
        if let Some(cut) = cut {
            last = cut;
            rows.values_mut()
                .for_each(|rows| rows.retain(|row| row.seq <= cut));
        }
        self.close(tx, account.id, last, &mut rows).await?;
        let has_more = (full || cut.is_some()) && last < account.head;
        Ok(PullPage {
            epoch: epoch.to_owned(),
            cursor: if has_more {
                cursor::write(epoch, from.at(last, &account))
            } else {
                cursor::write(epoch, Cursor::end(&account))
            },
            head: cursor::write(epoch, Cursor::end(&account)),
            has_more,
            tables: self.tables(rows)?,
            schema: None,
        })
    }

    pub(super) async fn page_of(
        &self,
        tx: &DatabaseTransaction,
        entries: Vec<Entry>,
    ) -> Result<HashMap<String, Vec<PageRow>>, DbErr> {
        let mut rows = HashMap::new();
        for (table, entries) in by_table(entries) {
            if let Some(registered) = self.registry.get(&table) {
                rows.insert(table, registered.table.page(tx, &entries).await?);
            }
        }
        Ok(rows)
    }

    /// Adds the parents that stand later in the feed because they changed after their children, up to
    /// the topmost. They will come again at their own place.
    pub(super) async fn close(
        &self,
        tx: &DatabaseTransaction,
        account: i64,
        last: i64,
        rows: &mut HashMap<String, Vec<PageRow>>,
    ) -> Result<(), DbErr> {
        let mut asked: HashSet<(String, String)> = HashSet::new();
        for registered in self.registry.tables().iter().rev() {
            let needs = rows
                .get(registered.shape.table)
                .into_iter()
                .flatten()
                .flat_map(|row| &row.needs);
            let mut names: HashMap<usize, Vec<&str>> = HashMap::new();
            for (number, name) in needs {
                let target = &registered.targets[*number].table;
                if asked.insert((target.clone(), name.clone())) {
                    names.entry(*number).or_default().push(name);
                }
            }
            let mut later: Vec<Entry> = Vec::new();
            for (number, names) in names {
                let found =
                    feed::find(tx, account, &registered.targets[number].table, &names).await?;
                later.extend(found.into_values().filter(|entry| entry.seq > last));
            }
            for (table, parents) in self.page_of(tx, later).await? {
                rows.entry(table).or_default().extend(parents);
            }
        }
        Ok(())
    }

    pub(super) fn tables(
        &self,
        mut rows: HashMap<String, Vec<PageRow>>,
    ) -> Result<Vec<TablePage>, ServerError> {
        let mut tables = Vec::new();
        for registered in self.registry.tables() {
            let Some(mut rows) = rows
                .remove(registered.shape.table)
                .filter(|rows| !rows.is_empty())
            else {
                continue;
            };
            rows.sort_by_key(|row| row.seq);
            tables.push(TablePage {
                table: registered.shape.table.to_owned(),
                rows: array(&rows)?,
            });
        }
        Ok(tables)
    }
}

/// Where a page has to end for its size: the position of the last row that fits.
fn cut_at(rows: &HashMap<String, Vec<PageRow>>) -> Option<i64> {
    let mut sizes: Vec<(i64, usize)> = rows
        .values()
        .flatten()
        .map(|row| (row.seq, row.json.get().len()))
        .collect();
    sizes.sort_unstable();
    let mut bytes = 0;
    let fits = sizes.iter().take_while(|(_, size)| {
        let first = bytes == 0;
        bytes += size;
        first || bytes <= PAGE_BYTES
    });
    let fits = fits.count();
    (fits < sizes.len()).then(|| sizes[fits - 1].0)
}

fn array(rows: &[PageRow]) -> Result<Box<RawValue>, ServerError> {
    let mut json = String::with_capacity(
        rows.iter()
            .map(|row| row.json.get().len() + 1)
            .sum::<usize>()
            + 2,
    );
    json.push('[');
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            json.push(',');
        }
        json.push_str(row.json.get());
    }
    json.push(']');
    RawValue::from_string(json).map_err(|e| DbErr::Json(e.to_string()).into())
}

fn empty(epoch: String) -> PullPage {
    let cursor = cursor::write(&epoch, Cursor::default());
    PullPage {
        head: cursor.clone(),
        cursor,
        epoch,
        has_more: false,
        tables: Vec::new(),
        schema: None,
    }
}
