//! The app's own database of today is adopted: all it holds goes out, and the app goes on with its own SQL.

use anyhow::{Result, ensure};
use sync_tests::{TestDb, account::TODAYS_DATABASE, on_both_backends, programs::DeviceFile};

use super::{EMAIL, PASSWORD, all_agree, device, serve};

on_both_backends!(
    todays_database_is_adopted_and_syncs,
    two_adopted_databases_of_one_person_become_one
);

/// The user that the app's database had before there was an account.
const LOCAL_USER: &str = "u1";

async fn todays_database_is_adopted_and_syncs(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let a = DeviceFile::of_the_app(TODAYS_DATABASE)?;
    let before = a.sql(NOT_OURS)?;
    // A login of an older app is none here, whatever its flags say.
    ensure!(a.status()?["state"] == "not_connected");
    let connected = a
        .connect(&server.url(), EMAIL, PASSWORD)?
        .with_code(0)?
        .json()?;
    ensure!(connected["local_user_id"] == LOCAL_USER, "{connected}");
    let synced = a.sync()?;
    ensure!(synced["n_pending"] == 0, "{synced}");
    let b = device(&server.url())?;
    b.sync()?;
    all_agree(&db, &[&a, &b]).await?;
    for (query, expected) in [
        (
            "SELECT name, avatar_style FROM profiles WHERE deleted_at IS NULL",
            "Änna|bottts",
        ),
        (
            "SELECT s.name FROM profiles p JOIN settings_profiles s ON s.id = p.settings_profile_id",
            "Home",
        ),
        (
            "SELECT meta_id, season, position, duration FROM watch_history WHERE deleted_at IS NULL ORDER BY 1",
            "tt1|-1|61|5400\ntt2|1||",
        ),
        (
            "SELECT i.meta_id, i.imdb_rating FROM list_items i WHERE deleted_at IS NULL",
            "tt1|7.5",
        ),
        (
            "SELECT a.manifest_url, p.enabled FROM profile_addons p JOIN addons a ON a.id = p.addon_id ORDER BY 1",
            "https://addons.example.org/manifest.json|0\nzentrio://tmdb-addon|",
        ),
        (
            "SELECT config FROM stream_settings ORDER BY 1",
            "\n{\"sort\":[\"size\"]}",
        ),
    ] {
        let there = b.sql(query)?;
        ensure!(there == expected.trim_end(), "{query}: {there}");
    }
    ensure!(
        a.sql(NOT_OURS)? == before,
        "columns that are none of ours have changed"
    );

    // The app goes on with its own SQL, which needs its UNIQUE constraints.
    a.sql("INSERT INTO list_items (list_id, meta_id, type) VALUES (11, 'tt3', 'movie')
             ON CONFLICT(list_id, meta_id) DO UPDATE SET deleted_at = NULL, type = excluded.type;
           INSERT INTO watch_history (profile_id, meta_id, meta_type, position, updated_at, dirty)
             VALUES (4, 'tt1', 'movie', 1200, CURRENT_TIMESTAMP, TRUE)
             ON CONFLICT(profile_id, meta_id, season, episode) DO UPDATE SET position = excluded.position")?;
    a.sync()?;
    b.sync()?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = 11")?;
    a.sync()?;
    b.sync()?;
    ensure!(b.sql("SELECT position FROM watch_history WHERE meta_id = 'tt1'")? == "1200");
    ensure!(b.sql("SELECT count(*) FROM list_items WHERE deleted_at IS NULL")? == "0");
    all_agree(&db, &[&a, &b]).await?;
    b.sql("UPDATE lists SET deleted_at = NULL; UPDATE list_items SET title = 'from B'")?;
    b.sync()?;
    a.sync()?;
    let items =
        a.sql("SELECT meta_id, title FROM list_items WHERE deleted_at IS NULL ORDER BY 1")?;
    ensure!(items == "tt1|from B\ntt3|from B", "{items}");
    all_agree(&db, &[&a, &b]).await
}

const NOT_OURS: &str = "SELECT hero_banner_enabled FROM profiles ORDER BY id; SELECT theme_id FROM appearance_settings;
    SELECT * FROM seaql_migrations; SELECT username, displayUsername, createdAt FROM user; SELECT * FROM addons ORDER BY id";

/// The same person has had the app on two machines, and both made the same things.
async fn two_adopted_databases_of_one_person_become_one(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let (a, b) = (
        DeviceFile::of_the_app(TODAYS_DATABASE)?,
        DeviceFile::of_the_app(TODAYS_DATABASE)?,
    );
    b.sql("UPDATE list_items SET meta_id = 'tt9' WHERE meta_id = 'tt1'")?;
    for device in [&a, &b, &a, &b] {
        if device.status()?["connected"] == false {
            device
                .connect(&server.url(), EMAIL, PASSWORD)?
                .with_code(0)?;
        }
        device.sync()?;
    }
    all_agree(&db, &[&a, &b]).await?;
    // Profiles have no natural key: nobody can tell whether two of one name are one.
    for device in [&a, &b] {
        let profiles = device.sql("SELECT name FROM profiles WHERE deleted_at IS NULL")?;
        ensure!(profiles == "Änna\nÄnna", "{profiles}");
        let items =
            device.sql("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")?;
        ensure!(items == "tt1\ntt9", "{items}");
    }
    Ok(())
}
