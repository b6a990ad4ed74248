//! Accounts that share a server share nothing else.

use anyhow::{Context, Result, ensure};
use sync_tests::{
    HttpServer, TestDb, TestDevice, account::Origin, on_both_backends, synced_rows::live_rows,
};

use super::travels;

on_both_backends!(
    two_accounts_never_see_each_other,
    a_name_of_another_accounts_row_opens_nothing,
);

/// Everything that two people may well call the same.
async fn fill(device: &TestDevice, whose: &str) -> Result<()> {
    let sql = format!(
        "INSERT INTO settings_profiles (user_id, name, is_default) SELECT local_user_id, 'Home', 1 FROM sync_state;
         INSERT INTO profiles (user_id, name, avatar, is_default, settings_profile_id)
           SELECT s.local_user_id, 'Me', '{whose}', 1, p.id FROM sync_state s, settings_profiles p;
         INSERT INTO profile_addons (settings_profile_id, addon_id) SELECT s.id, a.id FROM settings_profiles s, addons a;
         INSERT INTO stream_settings (settings_profile_id, config) SELECT id, '{whose}' FROM settings_profiles;
         INSERT INTO appearance_settings (settings_profile_id) SELECT id FROM settings_profiles;
         INSERT INTO watch_history (profile_id, meta_id, meta_type, title) SELECT id, 'tt1', 'movie', '{whose}' FROM profiles;
         INSERT INTO lists (profile_id, name, is_default) SELECT id, 'Favorites', 1 FROM profiles;
         INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt1', 'movie', '{whose}' FROM lists"
    );
    device.sql(&sql).await
}

const WHOSE: &str = "SELECT avatar FROM profiles UNION ALL SELECT config FROM stream_settings
    UNION ALL SELECT title FROM watch_history UNION ALL SELECT title FROM list_items";

async fn two_accounts_never_see_each_other(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (anna, ben) = (
        server.account("anna@example.org").await?,
        server.account("ben@example.org").await?,
    );
    let (anna_1, anna_2) = (
        anna.device(Origin::Fresh).await?,
        anna.device(Origin::Adopted).await?,
    );
    let (ben_1, ben_2) = (
        ben.device(Origin::Adopted).await?,
        ben.device(Origin::Fresh).await?,
    );
    fill(&anna_1, "anna").await?;
    fill(&ben_1, "ben").await?;
    travels(&anna_1, &anna_2).await?;
    travels(&ben_1, &ben_2).await?;
    // An edit of each, and a deletion of one.
    anna_2.sql("UPDATE lists SET is_default = 0").await?;
    ben_2
        .sql("UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    for device in [&anna_2, &ben_2, &anna_1, &ben_1] {
        device.sync().await?;
    }
    for (devices, whose, n_items) in [
        ([&anna_1, &anna_2], "anna", 1),
        ([&ben_1, &ben_2], "ben", 0),
    ] {
        for (number, device) in devices.into_iter().enumerate() {
            let who = || format!("{whose}'s device {number}");
            device.is_at_rest().await.with_context(who)?;
            let all = device.rows(WHOSE).await?;
            ensure!(all == vec![whose; 4], "{} has {all:?}", who());
            let rows = live_rows(device.device.db()).await?;
            for (table, rows) in rows {
                let expected = if table == "list_items" { n_items } else { 1 };
                ensure!(
                    rows.len() == expected,
                    "{} has {} in {table}",
                    who(),
                    rows.len()
                );
            }
        }
        let live = [
            live_rows(devices[0].device.db()).await?,
            live_rows(devices[1].device.db()).await?,
        ];
        ensure!(live[0] == live[1], "{whose}'s devices differ: {live:#?}");
    }
    Ok(())
}

/// A device that knows the names of another account's rows can neither change them nor take them over.
async fn a_name_of_another_accounts_row_opens_nothing(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (anna, ben) = (
        server.account("anna@example.org").await?,
        server.account("ben@example.org").await?,
    );
    let (of_anna, of_ben) = (
        anna.device(Origin::Fresh).await?,
        ben.device(Origin::Fresh).await?,
    );
    fill(&of_anna, "anna").await?;
    of_anna.sync().await?;
    let before = live_rows(of_anna.device.db()).await?;
    fill(&of_ben, "ben").await?;
    of_ben.sql("UPDATE sync_guard SET applying = 1").await?;
    for (table, rows) in &before {
        let name = rows.keys().next().context("no row")?;
        of_ben
            .sql(&format!("UPDATE {table} SET remote_id = '{name}'"))
            .await?;
    }
    of_ben.sql("UPDATE sync_guard SET applying = 0").await?;
    // Whatever becomes of Ben's rows.
    let _ = of_ben.sync().await;
    let _ = of_ben.sync().await;

    let whose = of_ben.rows(WHOSE).await?;
    ensure!(!whose.contains(&"anna".to_owned()), "Ben has {whose:?}");
    of_anna.is_at_rest().await?;
    let after = live_rows(of_anna.device.db()).await?;
    ensure!(after == before, "Anna had {before:#?} and has {after:#?}");
    let late = anna.device(Origin::Fresh).await?;
    late.sync().await?;
    let late = live_rows(late.device.db()).await?;
    ensure!(late == before, "Anna had {before:#?} and gets {late:#?}");
    Ok(())
}
