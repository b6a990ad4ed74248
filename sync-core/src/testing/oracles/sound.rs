//! Every database by itself.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use sea_orm::{DatabaseConnection, DbBackend};

use super::{End, texts};

/// V14: nothing is pending, rejected or set aside.
pub(super) async fn nothing_waits(end: &End<'_>) -> Result<()> {
    for (number, device) in end.world.devices.iter().enumerate() {
        let status = device.engine()?.status().await?;
        let pending = "SELECT tbl || ' ' || row_id || ' ' || register AS text FROM sync_pending";
        let pending = texts(&device.db()?, pending).await?;
        ensure!(
            status.pending.is_empty()
                && status.rejected.is_empty()
                && status.quarantined.is_empty(),
            "V14: on d{number} something still waits: {:?} {pending:?} rejected {:?} set aside {:?}",
            status.pending,
            status.rejected,
            status.quarantined
        );
    }
    Ok(())
}

/// V16, and V4 as far as the database itself can tell.
pub(super) async fn databases_are_whole(end: &End<'_>) -> Result<()> {
    for (number, device) in end.world.devices.iter().enumerate() {
        database_is_whole(&device.db()?, &format!("d{number}")).await?;
    }
    let server = end.world.server.db();
    if server.get_database_backend() == DbBackend::Sqlite {
        database_is_whole(server, "the server").await?;
    }
    Ok(())
}

async fn database_is_whole(db: &DatabaseConnection, whose: &str) -> Result<()> {
    let integrity = "SELECT integrity_check AS text FROM pragma_integrity_check";
    let integrity = texts(db, integrity).await?;
    ensure!(integrity == ["ok"], "V16: {whose}: {integrity:?}");
    let orphans = "SELECT \"table\" || ' ' || rowid AS text FROM pragma_foreign_key_check";
    let orphans = texts(db, orphans).await?;
    ensure!(
        orphans.is_empty(),
        "V4: {whose} has rows that refer to nothing: {orphans:?}"
    );
    Ok(())
}

/// V9: a row is dirty exactly where something of it is pending.
pub(super) async fn dirty_is_pending(end: &End<'_>) -> Result<()> {
    let selects: Vec<String> = end
        .world
        .setup
        .tables
        .iter()
        .map(|table| {
            let (name, id) = (table.name, table.id);
            format!(
                "SELECT '{name} ' || \"{id}\" AS text FROM \"{name}\" WHERE coalesce(dirty, 0) <> EXISTS
                   (SELECT 1 FROM sync_pending WHERE tbl = '{name}' AND row_id = \"{name}\".\"{id}\")"
            )
        })
        .collect();
    let sql = selects.join(" UNION ALL ");
    for (number, device) in end.world.devices.iter().enumerate() {
        let wrong = texts(&device.db()?, &sql).await?;
        ensure!(
            wrong.is_empty(),
            "V9: d{number}: dirty and pending differ: {wrong:?}"
        );
    }
    Ok(())
}

/// V6: every row of an account has its one place in the feed, and no place is behind the feed's end.
pub(super) async fn the_feed_is_whole(end: &End<'_>) -> Result<()> {
    let db = end.world.server.db();
    let beyond = "SELECT f.tbl || ' ' || f.remote_id AS text FROM sync_feed f
                  JOIN sync_account a ON a.id = f.account WHERE f.seq > a.head OR f.seq < 1";
    let beyond = texts(db, beyond).await?;
    ensure!(beyond.is_empty(), "V6: beyond the feed's end: {beyond:?}");
    for (account, dump) in end.server.iter().enumerate() {
        let user = &end.world.setup.accounts[account].id;
        let entries = format!(
            "SELECT f.tbl || ' ' || CAST(f.row_id AS TEXT) || ' ' || f.remote_id || ' ' ||
               coalesce(CAST(f.deleted_at AS TEXT), 'live') AS text
             FROM sync_feed f JOIN sync_account a ON a.id = f.account WHERE a.user_id = '{user}'"
        );
        let entries: HashSet<String> = texts(db, &entries).await?.into_iter().collect();
        for row in &dump.rows {
            let deleted = row
                .deleted_at
                .map_or("live".to_owned(), |at| at.to_string());
            let name = row.remote_id.as_deref().unwrap_or("?");
            let wanted = format!("{} {} {name} {deleted}", row.table.name, row.id);
            ensure!(
                entries.contains(&wanted),
                "V6: {user}: the feed lacks {wanted}"
            );
        }
        let live = entries
            .iter()
            .filter(|entry| entry.ends_with(" live"))
            .count();
        let rows = dump.rows.iter().filter(|row| row.live()).count();
        ensure!(
            live == rows,
            "V6: {user}: {live} live rows in the feed, {rows} in the tables"
        );
    }
    Ok(())
}
