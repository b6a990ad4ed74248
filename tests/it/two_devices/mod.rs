//! Two devices and more of an account, through the real server over real HTTP, on both of its databases.

mod accounts;
mod addons;
mod cases;
mod each_table;
mod many_rows;
mod same_thing_twice;
mod third_device;
mod values;

use anyhow::{Context, Result, ensure};
use sync_tests::{HttpServer, TestDevice, account::Origin, synced_rows::live_rows};

/// Two devices of one account, whose rows have different primary keys.
async fn pair(server: &HttpServer, a: Origin, b: Origin) -> Result<(TestDevice, TestDevice)> {
    let account = server.account("anna@example.org").await?;
    Ok((
        account.device(a).await?,
        account.device_with_other_ids(b).await?,
    ))
}

/// What is done on `from` arrives on `to`.
async fn travels(from: &TestDevice, to: &TestDevice) -> Result<()> {
    from.sync().await.context("pushing")?;
    to.sync().await.context("pulling")?;
    Ok(())
}

/// Checks that these devices and the server hold the same, and have nothing left to do.
async fn all_agree(server: &HttpServer, devices: &[&TestDevice]) -> Result<()> {
    let at_server = live_rows(&server.database().connect().await?).await?;
    for (number, device) in devices.iter().enumerate() {
        let who = || format!("device {number}");
        device.is_at_rest().await.with_context(who)?;
        for (table, rows) in live_rows(device.device.db()).await? {
            let at_server = &at_server[table];
            ensure!(
                rows == *at_server,
                "device {number} has in {table} {rows:#?}, the server {at_server:#?}"
            );
        }
    }
    Ok(())
}

/// A name or text as an SQL literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
