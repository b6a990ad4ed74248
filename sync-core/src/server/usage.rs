//! How much there is of an account, for its administrator.

use sea_orm::{ConnectionTrait, Statement};
use serde::Serialize;

use super::{ServerError, SyncServer, account};

/// What an account has in the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountUsage {
    /// Its synced tables that have or had rows, in the order in which they depend on each other.
    pub tables: Vec<TableUsage>,
    /// Rows of all tables that are not deleted.
    pub n_live: i64,
    /// Rows of all tables that are deleted and not forgotten.
    pub n_tombstones: i64,
    /// The feed's last position: how many changes there have been.
    pub head: i64,
}

/// What an account has of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableUsage {
    /// The table.
    pub table: String,
    /// Rows that are not deleted.
    pub n_live: i64,
    /// Rows that are deleted and not forgotten.
    pub n_tombstones: i64,
}

impl SyncServer {
    /// How much there is of an account. Edits made in the server's own database that have not been
    /// absorbed yet do not count.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn usage(&self, user_id: &str) -> Result<AccountUsage, ServerError> {
        let Some(account) = account::find(&self.db.read, user_id).await? else {
            return Ok(AccountUsage::default());
        };
        let mut tables = self.tables_in_feed(account.id).await?;
        let order = |usage: &TableUsage| {
            let mut names = self.registry.tables().iter().map(|t| t.shape.table);
            names.position(|name| name == usage.table)
        };
        tables.sort_by_key(order);
        Ok(AccountUsage {
            n_live: tables.iter().map(|table| table.n_live).sum(),
            n_tombstones: tables.iter().map(|table| table.n_tombstones).sum(),
            head: account.head,
            tables,
        })
    }

    async fn tables_in_feed(&self, account: i64) -> Result<Vec<TableUsage>, ServerError> {
        let sql = "SELECT tbl, count(*) AS n_rows, count(deleted_at) AS n_tombstones
                   FROM sync_feed WHERE account = $1 GROUP BY tbl";
        let backend = self.db.read.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, [account.into()]);
        let rows = self.db.read.query_all_raw(statement).await?;
        let usage = rows.iter().map(|row| {
            let n_rows: i64 = row.try_get("", "n_rows")?;
            let n_tombstones = row.try_get("", "n_tombstones")?;
            Ok(TableUsage {
                table: row.try_get("", "tbl")?,
                n_live: n_rows - n_tombstones,
                n_tombstones,
            })
        });
        usage.collect()
    }
}
