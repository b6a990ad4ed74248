//! Each generation is adopted and synced, and the app goes on with its own statements.

use anyhow::{Result, ensure};
use sync_tests::{
    TestDb,
    account::{APP_STATEMENTS, GENERATION_1, GENERATION_2},
    on_both_backends,
    programs::DeviceFile,
};

use super::{GENERATIONS, account, connect, connect_to, oracle};
use crate::binaries::{all_agree, device, serve};

on_both_backends!(
    every_row_reaches_another_device,
    episodes_of_other_devices_fit_into_the_oldest_file,
    todays_app_goes_on_with_its_own_statements,
    columns_of_the_app_stay_through_edits_and_pulls,
    leftovers_of_an_older_sync_mean_nothing,
);

async fn every_row_reaches_another_device(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    for (number, generation) in GENERATIONS.into_iter().enumerate() {
        let email = format!("{number}@example.org");
        account(&db, &email)?;
        let (a, b) = (DeviceFile::of_the_app(generation)?, DeviceFile::missing()?);
        for device in [&a, &b] {
            connect_to(device, &server.url(), &email)?;
            let synced = device.sync()?;
            ensure!(synced["n_pending"] == 0, "{synced}");
        }
        oracle::same(&a.copy(), &b.path())?;
        oracle::same(&a.copy(), &a.path())?;
        ensure!(a.status()?["state"] == "synced");
        ensure!(b.sql("PRAGMA foreign_key_check")?.is_empty());
    }
    Ok(())
}

async fn episodes_of_other_devices_fit_into_the_oldest_file(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    for generation in [GENERATION_1, GENERATION_2] {
        let a = DeviceFile::of_the_app(generation)?;
        connect(&a, &server.url())?;
        a.sync()?;
        let b = device(&server.url())?;
        b.sync()?;
        b.sql(
            "INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, position)
             SELECT p.id, 'tt2', 'series', 1, e.value, e.value * 10 FROM (SELECT min(id) AS id FROM profiles) p,
               json_each('[1,2,3]') e",
        )?;
        b.sync()?;
        let pulled = a.sync()?;
        ensure!(pulled["n_quarantined"] == 0, "{pulled}");
        let episodes =
            a.sql("SELECT count(*) FROM watch_history WHERE meta_id = 'tt2' AND season = 1")?;
        ensure!(episodes == "3", "{episodes} episodes");
        all_agree(&db, &[&a, &b]).await?;
        b.sql("UPDATE watch_history SET deleted_at = CURRENT_TIMESTAMP WHERE season = 1")?;
        b.sync()?;
    }
    Ok(())
}

async fn todays_app_goes_on_with_its_own_statements(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    for generation in GENERATIONS {
        let a = DeviceFile::of_the_app(generation)?;
        connect(&a, &server.url())?;
        a.sync()?;
        a.sql(APP_STATEMENTS)?;
        a.sync()?;
        let b = device(&server.url())?;
        b.sync()?;
        all_agree(&db, &[&a, &b]).await?;
        let watched = "SELECT season, episode, position, is_watched, watched_at IS NOT NULL FROM watch_history
            WHERE meta_id = 'tt9' AND deleted_at IS NULL ORDER BY 2";
        ensure!(
            b.sql(watched)?.contains("1|1|2650|1|1"),
            "{}",
            b.sql(watched)?
        );
        // Once more on rows that came from elsewhere, and on a row that was deleted there.
        b.sql("UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE meta_id = 'tt9'")?;
        b.sync()?;
        a.sync()?;
        a.sql(APP_STATEMENTS)?;
        a.sync()?;
        b.sync()?;
        let items =
            "SELECT imdb_rating FROM list_items WHERE meta_id = 'tt9' AND deleted_at IS NULL";
        ensure!(b.sql(items)?.contains("7.2"), "{}", b.sql(items)?);
        all_agree(&db, &[&a, &b]).await?;
    }
    Ok(())
}

/// What none of our tables has, in the first two generations.
const NOT_OURS: &str = "SELECT id, theme_id FROM profiles ORDER BY id;
    SELECT id, theme_id, background_style, custom_theme_config FROM appearance_settings ORDER BY id;
    SELECT id, email, name, createdAt, updatedAt FROM user ORDER BY id; SELECT id, manifest_url, name, created_at FROM addons ORDER BY id";

async fn columns_of_the_app_stay_through_edits_and_pulls(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    for (email, generation) in [
        ("1@example.org", GENERATION_1),
        ("2@example.org", GENERATION_2),
    ] {
        account(&db, email)?;
        let (a, b) = (DeviceFile::of_the_app(generation)?, DeviceFile::missing()?);
        let before = a.sql(NOT_OURS)?;
        connect_to(&a, &server.url(), email)?;
        a.sync()?;
        connect_to(&b, &server.url(), email)?;
        b.sync()?;
        b.sql(
            "UPDATE profiles SET avatar = 'from b'; UPDATE appearance_settings SET show_age_ratings = NOT show_age_ratings;
             UPDATE watch_history SET position = 99 WHERE meta_id = 'tt1'; UPDATE lists SET name = name || '!'",
        )?;
        b.sync()?;
        a.sync()?;
        a.sql("UPDATE profiles SET avatar = 'from a'; UPDATE appearance_settings SET show_imdb_ratings = FALSE")?;
        a.sync()?;
        ensure!(a.sql(NOT_OURS)? == before, "{}", a.sql(NOT_OURS)?);
        b.sync()?;
        oracle::same(&a.path(), &b.path())?;
    }
    // What stands in the app's own columns of a table that is made anew, and its triggers.
    let a = DeviceFile::of_the_app(GENERATION_1)?;
    a.status()?;
    let ratings = a.sql("SELECT id, typeof(rating), rating FROM watch_history ORDER BY id")?;
    ensure!(
        ratings == "10|real|8.25\n12|text|high\n13|null|",
        "{ratings}"
    );
    a.sql("UPDATE watch_history SET position = 5 WHERE id = 10")?;
    ensure!(a.sql("SELECT * FROM plays")? == "10|5");
    ensure!(a.sql("SELECT seq FROM sqlite_sequence WHERE name = 'watch_history'")? == "20");
    Ok(())
}

async fn leftovers_of_an_older_sync_mean_nothing(db: TestDb) -> Result<()> {
    let a = DeviceFile::of_the_app(GENERATION_2)?;
    // No login of ours, whatever stands there, and no sync that is running.
    let status = a.status()?;
    ensure!(status["state"] == "not_connected", "{status}");
    a.zentrio(&["sync", "--json"])?.with_code(3)?;
    let kept = a.sql("SELECT auth_token, last_sync_at, is_syncing FROM sync_state")?;
    ensure!(kept == "secret|2025-06-01 00:00:00|1", "{kept}");
    let names = a.sql(
        "SELECT remote_id FROM profiles UNION ALL SELECT remote_id FROM watch_history
         UNION ALL SELECT remote_id FROM settings_profiles",
    )?;
    ensure!(names.trim().is_empty(), "{names}");
    let before = a.dump()?;
    a.status()?;
    ensure!(a.dump()? == before, "opening it again changed something");

    let server = serve(&db)?;
    connect(&a, &server.url())?;
    let synced = a.sync()?;
    // Two rows were deleted before they were ever sent, and one with its profile.
    ensure!(synced["n_pushed"] == 19, "{synced}");
    let b = device(&server.url())?;
    b.sync()?;
    // Of what is not known nothing is said, and it beats nothing.
    let unknown = "SELECT updated_at FROM lists WHERE profile_id = (SELECT id FROM profiles WHERE name = 'Anna')";
    ensure!(b.sql(unknown)?.is_empty(), "{}", b.sql(unknown)?);
    all_agree(&db, &[&a, &b]).await
}
