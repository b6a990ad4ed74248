//! The application's own database, from before it had anything of ours.

use std::sync::Arc;

use anyhow::Result;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sync_core::{SystemClock, UuidV7};
use sync_tests::{
    InProcessServer, TestDb, TestDevice,
    device::fresh_file,
    on_both_backends,
    text_rows::{text_row, text_rows},
};
use tempfile::TempDir;

/// As the application makes it today, with leftovers of an earlier sync.
const GENERATION_3: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../migration/src/tests/generation_3.sql"
));

/// The earlier sync's account, which is another test's business.
const NO_ACCOUNT: &str =
    "UPDATE sync_state SET remote_url = NULL, remote_user_id = NULL, auth_token = NULL";

async fn server(database: TestDb) -> Result<InProcessServer> {
    let server =
        InProcessServer::zentrio(database, Arc::new(SystemClock), Arc::new(UuidV7)).await?;
    server.add_user("u1").await?;
    Ok(server)
}

async fn file(before: &str) -> Result<(Arc<TempDir>, DatabaseConnection)> {
    let (folder, db) = fresh_file().await?;
    db.execute_unprepared(GENERATION_3).await?;
    db.execute_unprepared(before).await?;
    migration::up(&db, migration::Side::Device).await?;
    Ok((folder, db))
}

async fn adopted(before: &str, server: &InProcessServer) -> Result<TestDevice> {
    let (folder, db) = file(before).await?;
    let transport = server.transport("u1", 1);
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
    TestDevice::connected(folder, db, entity::registry()?, "u1", clock, ids, transport).await
}

async fn fresh(server: &InProcessServer) -> Result<TestDevice> {
    let transport = server.transport("u1", 2);
    TestDevice::zentrio("u1", Arc::new(SystemClock), Arc::new(UuidV7), transport).await
}

const TABLES: [&str; 8] = [
    "settings_profiles",
    "profiles",
    "profile_addons",
    "stream_settings",
    "appearance_settings",
    "watch_history",
    "lists",
    "list_items",
];

async fn rows_that_were_there_are_pending(database: TestDb) -> Result<()> {
    let server = server(database).await?;
    let device = adopted(NO_ACCOUNT, &server).await?;

    for table in TABLES {
        let rows = device
            .rows(&format!(
                "SELECT '{table} ' || id || ' *' FROM {table} ORDER BY 1"
            ))
            .await?;
        let pending = format!(
            "SELECT tbl || ' ' || row_id || ' ' || register FROM sync_pending WHERE tbl = '{table}'"
        );
        assert_eq!(device.rows(&format!("{pending} ORDER BY 1")).await?, rows);
        assert_eq!(
            device
                .one(&format!("SELECT count(*) FROM {table} WHERE NOT dirty"))
                .await?,
            "0",
            "{table}"
        );
        let named = format!("SELECT count(remote_id) FROM {table}");
        assert_eq!(device.one(&named).await?, "0", "{table}: leftover names");
    }
    Ok(())
}

/// As far as tables have to agree, in no order and without what each database has for itself.
const SHARED: [&str; 8] = [
    "SELECT name, is_default, created_at IS NULL AS none, tmdb_catalog_config FROM settings_profiles WHERE deleted_at IS NULL",
    "SELECT name, avatar, avatar_type, avatar_style, is_default FROM profiles WHERE deleted_at IS NULL",
    "SELECT (SELECT name FROM profiles p WHERE p.id = t.profile_id) AS p,
        (SELECT name FROM settings_profiles s WHERE s.id = t.settings_profile_id) AS s,
        (SELECT manifest_url FROM addons a WHERE a.id = t.addon_id) AS a, enabled, priority
        FROM profile_addons t WHERE deleted_at IS NULL",
    "SELECT (SELECT name FROM profiles p WHERE p.id = t.profile_id) AS p,
        (SELECT name FROM settings_profiles s WHERE s.id = t.settings_profile_id) AS s, config
        FROM stream_settings t WHERE deleted_at IS NULL",
    "SELECT show_imdb_ratings, show_age_ratings FROM appearance_settings WHERE deleted_at IS NULL",
    "SELECT (SELECT name FROM profiles p WHERE p.id = t.profile_id) AS p, meta_id, meta_type, season, episode, duration,
        position, is_watched FROM watch_history t WHERE deleted_at IS NULL",
    "SELECT t.name, p.name AS p FROM lists t JOIN profiles p ON p.id = t.profile_id
        WHERE t.deleted_at IS NULL AND p.deleted_at IS NULL",
    "SELECT l.name, meta_id, type, imdb_rating FROM list_items t JOIN lists l ON l.id = t.list_id
        WHERE t.deleted_at IS NULL",
];

async fn everything_reaches_a_second_device(database: TestDb) -> Result<()> {
    let server = server(database).await?;
    let one = adopted(NO_ACCOUNT, &server).await?;
    let report = one.sync().await?;
    assert_eq!(report.n_rejected, 0, "{:?}", one.status().await?.rejected);

    let other = fresh(&server).await?;
    let report = other.sync().await?;
    assert_eq!(
        report.n_quarantined,
        0,
        "{:?}",
        other.status().await?.quarantined
    );

    for (table, query) in TABLES.iter().zip(SHARED) {
        let mut here = one.rows(query).await?;
        let mut there = other.rows(query).await?;
        here.sort();
        there.sort();
        assert!(!here.is_empty(), "{table} has nothing to compare");
        assert_eq!(here, there, "{table}");
    }
    Ok(())
}

async fn nothing_stays_pending(database: TestDb) -> Result<()> {
    let server = server(database).await?;
    let device = adopted(NO_ACCOUNT, &server).await?;
    device.sync().await?;

    assert_eq!(device.pending().await?, [""; 0]);
    let status = device.status().await?;
    assert!(
        status.pending.is_empty() && status.rejected.is_empty(),
        "{status:?}"
    );
    for table in TABLES {
        assert_eq!(
            device
                .one(&format!("SELECT count(*) FROM {table} WHERE dirty"))
                .await?,
            "0",
            "{table}"
        );
    }
    Ok(())
}

async fn columns_we_do_not_know_keep_their_values(database: TestDb) -> Result<()> {
    let server = server(database).await?;
    let device = adopted(NO_ACCOUNT, &server).await?;
    device.sync().await?;
    let other = fresh(&server).await?;
    other.sync().await?;
    other.sql("UPDATE profiles SET name = 'Anne'; UPDATE appearance_settings SET show_age_ratings = FALSE").await?;
    other.sync().await?;

    device.sync().await?;

    assert_eq!(
        device
            .rows("SELECT name, hero_banner_enabled FROM profiles WHERE id = 4")
            .await?,
        ["Anne|0"]
    );
    assert_eq!(
        device
            .rows("SELECT theme_id, show_age_ratings FROM appearance_settings")
            .await?,
        ["dusk|0"]
    );
    Ok(())
}

/// What the earlier sync left in `sync_state` was of another protocol.
async fn the_earlier_syncs_account_does_not_keep_this_one_out(database: TestDb) -> Result<()> {
    let server = server(database).await?;
    let device = adopted("", &server).await?;

    device.sync().await?;

    assert_eq!(
        text_row(&server.db, "SELECT count(*) FROM watch_history").await?,
        "2"
    );
    Ok(())
}

on_both_backends!(
    rows_that_were_there_are_pending,
    everything_reaches_a_second_device,
    nothing_stays_pending,
    columns_we_do_not_know_keep_their_values,
    the_earlier_syncs_account_does_not_keep_this_one_out,
);

/// The statements of the application, after everything it has was synced once.
async fn synced() -> Result<(InProcessServer, TestDevice)> {
    let server = server(TestDb::new(sync_tests::Backend::Sqlite).await?).await?;
    let device = adopted(NO_ACCOUNT, &server).await?;
    device.sync().await?;
    // What cannot be synced is another test's business.
    device.sql("DELETE FROM lists WHERE id = 12").await?;
    assert_eq!(device.pending().await?, [""; 0]);
    Ok((server, device))
}

#[tokio::test]
async fn the_applications_upserts_are_captured() -> Result<()> {
    let (server, device) = synced().await?;
    for upsert in [
        "INSERT INTO list_items (list_id, meta_id, type, title, dirty) VALUES (11, 'tt1', 'movie', 'A film', 1)
            ON CONFLICT(list_id, meta_id) DO UPDATE SET title = excluded.title, deleted_at = NULL, dirty = 1,
            updated_at = CURRENT_TIMESTAMP",
        "INSERT INTO list_items (list_id, meta_id, type) VALUES (11, 'tt9', 'movie')
            ON CONFLICT(list_id, meta_id) DO UPDATE SET deleted_at = NULL",
        "INSERT INTO watch_history (profile_id, meta_id, meta_type, position, duration) VALUES (4, 'tt1', 'movie', 99, 5400)
            ON CONFLICT(profile_id, meta_id, season, episode) DO UPDATE SET position = excluded.position,
            duration = excluded.duration, dirty = TRUE, updated_at = CURRENT_TIMESTAMP",
        "INSERT INTO lists (profile_id, name, is_default) VALUES (4, 'Mine', 0)
            ON CONFLICT(profile_id, name) DO UPDATE SET is_default = excluded.is_default",
        "INSERT INTO profile_addons (settings_profile_id, addon_id, enabled) VALUES (2, 7, 0)
            ON CONFLICT(settings_profile_id, addon_id) DO UPDATE SET enabled = excluded.enabled",
        "INSERT INTO stream_settings (profile_id, config) VALUES (4, '{}')
            ON CONFLICT(profile_id) DO UPDATE SET config = excluded.config",
        "INSERT INTO appearance_settings (settings_profile_id, show_imdb_ratings) VALUES (2, 0)
            ON CONFLICT(settings_profile_id) DO UPDATE SET show_imdb_ratings = excluded.show_imdb_ratings",
    ] {
        device.sql(upsert).await?;
    }

    let new = format!(
        "list_items {} *",
        device
            .one("SELECT id FROM list_items WHERE meta_id = 'tt9'")
            .await?
    );
    let expected = [
        "appearance_settings 1 show_imdb_ratings",
        "list_items 1 title",
        &new,
        "lists 11 is_default",
        "profile_addons 2 enabled",
        "stream_settings 2 config",
        "watch_history 1 progress",
    ];
    assert_eq!(device.pending().await?, expected);
    device.sync().await?;
    assert_eq!(device.pending().await?, [""; 0]);
    assert_eq!(
        text_rows(
            &server.db,
            "SELECT position FROM watch_history WHERE meta_id = 'tt1'"
        )
        .await?,
        ["99"]
    );
    Ok(())
}

/// The application adds an item again by taking its tombstone back, whose key is still taken.
#[tokio::test]
async fn a_tombstone_that_was_never_synced_can_be_taken_back() -> Result<()> {
    let (server, device) = synced().await?;
    let again = "INSERT INTO list_items (list_id, meta_id, type) VALUES (11, 'tt3', 'movie')
        ON CONFLICT(list_id, meta_id) DO UPDATE SET deleted_at = NULL";
    device.sql(again).await?;
    device.sync().await?;

    assert_eq!(device.pending().await?, [""; 0]);
    let items = "SELECT meta_id, type FROM list_items WHERE deleted_at IS NULL ORDER BY 1";
    assert_eq!(
        text_rows(&server.db, items).await?,
        ["tt1|movie", "tt3|movie"]
    );
    let other = fresh(&server).await?;
    other.sync().await?;
    assert_eq!(other.rows(items).await?, ["tt1|movie", "tt3|movie"]);
    Ok(())
}

/// One of the two statements sets no `dirty`.
#[tokio::test]
async fn the_applications_change_of_the_default_profile_is_captured() -> Result<()> {
    let (_server, device) = synced().await?;
    device
        .sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Tom', 't')")
        .await?;
    device.sync().await?;

    device
        .sql(
            "UPDATE profiles SET is_default = FALSE WHERE user_id = 'u1' AND is_default;
             UPDATE profiles SET is_default = TRUE, dirty = TRUE, updated_at = CURRENT_TIMESTAMP WHERE name = 'Tom'",
        )
        .await?;

    assert_eq!(
        device.pending().await?,
        ["profiles 10 is_default", "profiles 4 is_default"]
    );
    Ok(())
}

/// What the application deletes by hand-written SQL is one row; what hangs on it goes too.
#[tokio::test]
async fn the_applications_delete_of_a_list_is_captured() -> Result<()> {
    let (server, device) = synced().await?;
    device
        .sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP, dirty = TRUE WHERE id = 11")
        .await?;
    assert_eq!(
        device.pending().await?,
        ["list_items 1 deleted_at", "lists 11 deleted_at"]
    );
    device.sync().await?;

    let live = "SELECT name FROM lists WHERE deleted_at IS NULL UNION SELECT meta_id FROM list_items WHERE deleted_at IS NULL";
    assert_eq!(text_rows(&server.db, live).await?, [""; 0]);
    Ok(())
}

/// The application's next release may rebuild a table, as this one once did with `watch_history`.
async fn rebuilt(device: &TestDevice, before: &str, after: &str) -> Result<()> {
    let create = device
        .one("SELECT sql FROM sqlite_master WHERE name = 'watch_history'")
        .await?;
    let create = create.replacen("watch_history", "watch_history_new", 1);
    let sql = format!(
        "{before};
         {create};
         INSERT INTO watch_history_new SELECT * FROM watch_history;
         DROP TABLE watch_history;
         ALTER TABLE watch_history_new RENAME TO watch_history;
         {after}"
    );
    device.sql(&sql).await?;
    sync_core::schema::install(
        device.device.db(),
        sync_core::schema::Side::Device,
        &entity::registry()?,
    )
    .await?;

    device
        .sql("UPDATE watch_history SET position = 77 WHERE meta_id = 'tt1'")
        .await?;
    assert_eq!(device.pending().await?, ["watch_history 1 progress"]);
    device.sync().await?;
    assert_eq!(device.pending().await?, [""; 0]);
    device
        .sql("UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP WHERE id = 4")
        .await?;
    assert_eq!(
        device
            .one("SELECT count(*) FROM watch_history WHERE deleted_at IS NULL")
            .await?,
        "0"
    );
    Ok(())
}

/// SQLite refuses to rename a table while a trigger elsewhere names it. The README says what to do.
#[tokio::test]
async fn a_rebuild_in_a_transaction_fails_as_a_whole() -> Result<()> {
    let (_server, device) = synced().await?;
    let before = device.rows("SELECT * FROM watch_history").await?;
    assert!(rebuilt(&device, "BEGIN", "COMMIT").await.is_err());
    device.sql("ROLLBACK").await?;
    assert_eq!(device.rows("SELECT * FROM watch_history").await?, before);
    device.sync().await?;
    Ok(())
}

#[tokio::test]
async fn the_application_can_rebuild_a_table_as_older_builds_did() -> Result<()> {
    let (_server, device) = synced().await?;
    rebuilt(
        &device,
        "PRAGMA legacy_alter_table = ON",
        "PRAGMA legacy_alter_table = OFF",
    )
    .await
}

#[tokio::test]
async fn the_application_can_rebuild_a_table_without_its_capture() -> Result<()> {
    let (_server, device) = synced().await?;
    rebuilt(
        &device,
        "DROP TRIGGER sync_watch_history_profile_id_follows; DROP TRIGGER sync_watch_history_profile_id_goes",
        "",
    )
    .await
}

/// Between the rebuild and the next start there are no triggers; the rows tell what they can.
#[tokio::test]
async fn what_was_written_after_a_rebuild_is_not_lost() -> Result<()> {
    let (_server, device) = synced().await?;
    let create = device
        .one("SELECT sql FROM sqlite_master WHERE name = 'watch_history'")
        .await?;
    let create = create.replacen("watch_history", "watch_history_new", 1);
    let sql = format!(
        "PRAGMA legacy_alter_table = ON; {create};
         INSERT INTO watch_history_new SELECT * FROM watch_history;
         DROP TABLE watch_history;
         ALTER TABLE watch_history_new RENAME TO watch_history;
         PRAGMA legacy_alter_table = OFF;
         UPDATE watch_history SET position = 78, dirty = 1 WHERE id = 1;
         UPDATE watch_history SET position = 79, updated_at = '2999-01-01T00:00:00Z' WHERE id = 2;
         INSERT INTO watch_history (profile_id, meta_id, meta_type, position) VALUES (4, 'tt77', 'movie', 80)"
    );
    device.sql(&sql).await?;
    let registry = entity::registry()?;
    let side = sync_core::schema::Side::Device;
    sync_core::schema::install(device.device.db(), side, &registry).await?;

    assert_eq!(
        device.pending().await?,
        [
            "watch_history 1 *",
            "watch_history 2 *",
            "watch_history 3 *"
        ]
    );
    Ok(())
}

/// A self-hoster's server goes on with the database it has.
#[tokio::test]
async fn the_applications_database_serves_as_a_servers_too() -> Result<()> {
    let database = TestDb::new(sync_tests::Backend::Sqlite).await?;
    let db = database.connect().await?;
    db.execute_unprepared(GENERATION_3).await?;
    db.execute_unprepared(
        "INSERT INTO user VALUES ('u2', 'bob@example.org', 'Bob', 1, NULL, '2025-03-01', '2025-03-01', NULL, NULL,
             NULL, 0, NULL, NULL);
         INSERT INTO profiles (user_id, name, avatar) VALUES ('u2', 'Bob', 'b')",
    )
    .await?;
    migration::up(&db, migration::Side::Server).await?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
    let server = InProcessServer::with(database, db, entity::registry()?, clock, ids).await?;

    let device = fresh(&server).await?;
    let report = device.sync().await?;

    assert_eq!(
        report.n_quarantined,
        0,
        "{:?}",
        device.status().await?.quarantined
    );
    for (table, query) in TABLES.iter().zip(SHARED) {
        let mut here = device.rows(query).await?;
        let mut there = text_rows(&server.db, query).await?;
        there.retain(|row| !row.starts_with("Bob"));
        here.sort();
        there.sort();
        assert_eq!(here, there, "{table}");
    }
    Ok(())
}
