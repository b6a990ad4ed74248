//! Checksums of an account's rows, read in the feed's order and in pages, so that they need little memory.

use std::collections::{HashMap, HashSet};

use sea_orm::DatabaseTransaction;

use super::{
    Caller, Entry, ServerError, SyncServer,
    account::{self, Account},
    cursor, feed,
    page::by_table,
};
use crate::{
    checksum::{Buckets, Sum, bucket_of},
    protocol::{
        BucketSum, CompareAnswer, CompareRequest, CompareTable, ErrorCode, PROTOCOL_VERSION,
        RowSum, TableSums,
    },
    registry::Registered,
    retry::retry,
    row_now::RowNow,
    tx,
};

/// Entries of the feed that are looked at together.
const PAGE: u32 = 1_000;

/// Most rows that one answer tells one by one.
const MOST_ROWS: usize = 20_000;

/// A table whose checksums are being made.
struct Summing<'a> {
    registered: &'a Registered,
    wanted: Option<HashSet<u8>>,
    sums: TableSums,
    buckets: Buckets,
}

impl SyncServer {
    /// The checksums of the account's live rows, for a device that has pulled all there is.
    ///
    /// # Errors
    /// `feed_moved` if it has not; or if the request cannot be carried out as it is, or the database fails.
    pub async fn compare(
        &self,
        caller: &Caller,
        body: &[u8],
    ) -> Result<CompareAnswer, ServerError> {
        let request: CompareRequest = serde_json::from_slice(body)
            .map_err(|e| ServerError::bad_request(format!("this compares nothing: {e}")))?;
        if request.protocol != PROTOCOL_VERSION {
            let message = format!(
                "this server speaks protocol {PROTOCOL_VERSION}; update the app or the server"
            );
            return Err(ServerError::refused(
                ErrorCode::UnsupportedProtocol,
                message,
            ));
        }
        if request.mend {
            self.enter_unseen(caller).await?;
        }
        self.absorb(caller).await?;
        retry(|| self.compare_once(caller, &request)).await
    }

    async fn compare_once(
        &self,
        caller: &Caller,
        request: &CompareRequest,
    ) -> Result<CompareAnswer, ServerError> {
        let tx = tx::begin_read(&self.db.read).await?;
        let epoch = account::epoch(&tx).await?;
        let from = cursor::read(request.cursor.as_deref(), &epoch)?;
        let account = account::find(&tx, &caller.user_id).await?;
        from.check(&tx, account.as_ref()).await?;
        if account.is_some_and(|account| from.seq != account.head) {
            let message = "the server has changes that this device has not pulled; sync first";
            return Err(ServerError::refused(ErrorCode::FeedMoved, message));
        }
        let mut tables = self.begin_sums(&request.tables);
        if let Some(account) = account {
            self.add_up(&tx, &account, &mut tables).await?;
        }
        for summing in tables.values_mut().filter(|table| table.wanted.is_none()) {
            summing.sums.n_unseen = self.n_unseen(&tx, caller, summing.registered).await?;
        }
        tx.commit().await?;
        let sums = request.tables.iter().map(|table| {
            tables
                .remove(&table.table)
                .map_or_else(|| unknown(table), Summing::end)
        });
        Ok(CompareAnswer {
            epoch,
            tables: sums.collect(),
        })
    }

    fn begin_sums(&self, tables: &[CompareTable]) -> HashMap<String, Summing<'_>> {
        let known = tables.iter().filter_map(|table| {
            Some((
                table.table.clone(),
                Summing::new(self.registry.get(&table.table)?, table),
            ))
        });
        known.collect()
    }

    async fn add_up(
        &self,
        tx: &DatabaseTransaction,
        account: &Account,
        tables: &mut HashMap<String, Summing<'_>>,
    ) -> Result<(), ServerError> {
        let mut behind = 0;
        loop {
            let entries = feed::after(tx, account.id, behind, PAGE, None).await?;
            let Some(last) = entries.last() else {
                return Ok(());
            };
            behind = last.seq;
            for (table, entries) in by_table(entries) {
                if let Some(summing) = tables.get_mut(&table) {
                    summing.add(tx, entries).await?;
                }
            }
        }
    }
}

impl<'a> Summing<'a> {
    fn new(registered: &'a Registered, table: &CompareTable) -> Self {
        let known = registered.shape.columns();
        let columns = known
            .filter(|column| table.columns.iter().any(|theirs| theirs == column))
            .map(str::to_owned);
        let sums = TableSums {
            table: table.table.clone(),
            columns: columns.collect(),
            ..TableSums::default()
        };
        Self {
            registered,
            wanted: table
                .buckets
                .as_ref()
                .map(|buckets| buckets.iter().copied().collect()),
            sums,
            buckets: Buckets::new(),
        }
    }

    async fn add(
        &mut self,
        tx: &DatabaseTransaction,
        mut entries: Vec<Entry>,
    ) -> Result<(), ServerError> {
        if let Some(wanted) = &self.wanted {
            entries.retain(|entry| wanted.contains(&bucket_of(&entry.remote_id)));
        }
        let ids: Vec<i64> = entries.iter().map(|entry| entry.row_id).collect();
        let mut now = self.registered.table.now(tx, &ids).await?;
        let mut rows: HashMap<i64, RowNow> =
            now.rows.drain(..).map(|row| (row.row_id, row)).collect();
        for entry in entries {
            if now.unreadable.contains_key(&entry.row_id) {
                self.sums.unreadable.push(entry.remote_id);
                continue;
            }
            // Another row may have come to a deleted one's id.
            let row = rows.remove(&entry.row_id);
            let row = row.filter(|row| row.remote_id.as_ref() == Some(&entry.remote_id));
            if let Some(row) = row.filter(|row| row.deleted_at.is_none()) {
                self.add_row(&entry.remote_id, &row)?;
            }
        }
        Ok(())
    }

    fn add_row(&mut self, remote_id: &str, row: &RowNow) -> Result<(), ServerError> {
        let sum = Sum::of(
            self.registered.shape,
            &self.sums.columns,
            remote_id,
            &row.columns,
        );
        if self.wanted.is_none() {
            self.buckets.add(remote_id, sum);
            return Ok(());
        }
        if self.sums.rows.len() >= MOST_ROWS {
            let message = format!("these ranges hold more than {MOST_ROWS} rows; ask for fewer");
            return Err(ServerError::refused(ErrorCode::TooManyRows, message));
        }
        self.sums.rows.push(RowSum {
            remote_id: remote_id.to_owned(),
            sum: sum.to_string(),
        });
        Ok(())
    }

    fn end(self) -> TableSums {
        let filled = self.buckets.iter().filter(|(_, bucket)| bucket.n_rows > 0);
        let buckets = filled.map(|(number, bucket)| BucketSum {
            bucket: number,
            n_rows: bucket.n_rows,
            sum: bucket.sum.to_string(),
        });
        TableSums {
            buckets: buckets.collect(),
            ..self.sums
        }
    }
}

fn unknown(table: &CompareTable) -> TableSums {
    TableSums {
        table: table.table.clone(),
        code: Some(ErrorCode::UnknownTable.as_str().to_owned()),
        ..TableSums::default()
    }
}
