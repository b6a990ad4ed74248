//! The races once more where every transaction is serializable, as they are on some engines that speak
//! Postgres' language: what the database ends is run again.
//!
//! With TEST_PG_ISOLATION=serializable every test of this program runs so.

use anyhow::{Result, ensure};
use sync_tests::{TestDb, snapshot::query};

use crate::faults::counts;

#[tokio::test]
async fn r02_eight_threads_one_account_serializable() -> Result<()> {
    let db = TestDb::serializable().await?;
    let connection = db.connect().await?;
    let level = query(
        &connection,
        "SELECT current_setting('transaction_isolation')",
    )
    .await?;
    ensure!(level == ["serializable"], "{level:?}");
    counts::exact(db, 1).await
}

#[tokio::test]
async fn r02_eight_threads_eight_accounts_serializable() -> Result<()> {
    counts::exact(TestDb::serializable().await?, 8).await
}
