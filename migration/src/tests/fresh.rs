//! A new SQLite file.

use sea_orm_migration::sea_orm::ConnectionTrait;

use super::{File, text, texts};
use crate::{Side, up};

const SCHEMA: &str = "SELECT name || coalesce(sql, '') FROM sqlite_master ORDER BY type, name";
const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";

#[tokio::test]
async fn a_device_has_the_applications_tables() {
    let file = File::migrated(Side::Device).await;
    let expected = [
        "addons",
        "appearance_settings",
        "list_items",
        "lists",
        "profile_addons",
        "profiles",
        "settings_profiles",
        "sqlite_sequence",
        "stream_settings",
        "sync_migrations",
        "user",
        "watch_history",
    ];
    assert_eq!(texts(&file.db, TABLES).await, expected);
}

#[tokio::test]
async fn a_server_has_those_of_the_login_too() {
    let file = File::migrated(Side::Server).await;
    let tables = texts(&file.db, TABLES).await;
    for table in [
        "account",
        "login_limit",
        "login_place",
        "server_setting",
        "session",
        "sync_device",
        "sync_login_migrations",
    ] {
        assert!(tables.iter().any(|name| name == table), "{table}");
    }
}

#[tokio::test]
async fn a_second_time_changes_nothing() {
    let file = File::migrated(Side::Server).await;
    let before = texts(&file.db, SCHEMA).await;
    let version = text(
        &file.db,
        "SELECT CAST(schema_version AS TEXT) FROM pragma_schema_version",
    )
    .await;

    up(&file.db, Side::Server).await.unwrap();

    assert_eq!(texts(&file.db, SCHEMA).await, before);
    let after = text(
        &file.db,
        "SELECT CAST(schema_version AS TEXT) FROM pragma_schema_version",
    )
    .await;
    assert_eq!(after, version);
    let addons = "SELECT manifest_url || '=' || name FROM addons";
    assert_eq!(text(&file.db, addons).await, "zentrio://tmdb-addon=TMDB");
}

#[tokio::test]
async fn a_database_that_needs_nothing_can_be_read_only() {
    let file = File::migrated(Side::Device).await;
    file.db
        .execute_unprepared("PRAGMA query_only = ON")
        .await
        .unwrap();

    up(&file.db, Side::Device).await.unwrap();
}

#[tokio::test]
async fn a_servers_file_opens_as_a_devices_and_the_other_way_round() {
    let file = File::migrated(Side::Server).await;
    up(&file.db, Side::Device).await.unwrap();

    let file = File::migrated(Side::Device).await;
    up(&file.db, Side::Server).await.unwrap();
    assert!(
        texts(&file.db, TABLES)
            .await
            .contains(&"session".to_owned())
    );
}

#[tokio::test]
async fn two_programs_can_start_together() {
    let file = File::empty().await;
    let other = file.again().await;

    for side in [Side::Device, Side::Server] {
        let (one, two) = tokio::join!(up(&file.db, side), up(&other, side));
        one.unwrap();
        two.unwrap();
    }

    assert_eq!(
        text(&file.db, "SELECT CAST(count(*) AS TEXT) FROM addons").await,
        "1"
    );
}

#[tokio::test]
async fn integers_are_keys_that_never_return() {
    let file = File::migrated(Side::Device).await;
    let sql = text(
        &file.db,
        "SELECT lower(sql) FROM sqlite_master WHERE name = 'lists'",
    )
    .await;
    assert!(
        sql.contains(r#""id" integer not null primary key autoincrement"#),
        "{sql}"
    );
}

#[tokio::test]
async fn a_key_may_come_twice_while_one_of_the_rows_is_deleted() {
    let file = File::migrated(Side::Device).await;
    let unique = "SELECT t.name FROM sqlite_master t, pragma_index_list(t.name) i
        WHERE t.type = 'table' AND i.\"unique\" AND i.origin = 'u' ORDER BY t.name";
    assert_eq!(texts(&file.db, unique).await, ["addons", "user"]);
}

#[tokio::test]
async fn every_reference_has_an_index_and_an_action() {
    let file = File::migrated(Side::Server).await;
    let references = "SELECT t.name || '.' || f.\"from\" || ' ' || f.on_delete
        FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' ORDER BY 1";
    let expected = [
        "account.userId CASCADE",
        "appearance_settings.settings_profile_id CASCADE",
        "list_items.list_id CASCADE",
        "lists.profile_id CASCADE",
        "login_place.user_id CASCADE",
        "profile_addons.addon_id CASCADE",
        "profile_addons.profile_id CASCADE",
        "profile_addons.settings_profile_id CASCADE",
        "profiles.settings_profile_id SET NULL",
        "profiles.user_id CASCADE",
        "session.userId CASCADE",
        "settings_profiles.user_id CASCADE",
        "stream_settings.profile_id CASCADE",
        "stream_settings.settings_profile_id CASCADE",
        "sync_device.user_id CASCADE",
        "watch_history.profile_id CASCADE",
    ];
    assert_eq!(texts(&file.db, references).await, expected);

    let unindexed = "SELECT t.name || '.' || f.\"from\"
        FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' AND NOT EXISTS
        (SELECT 1 FROM pragma_index_list(t.name) i, pragma_index_info(i.name) c
         WHERE c.seqno = 0 AND c.name = f.\"from\")";
    assert_eq!(texts(&file.db, unindexed).await, [""; 0]);
}

#[tokio::test]
async fn defaults_fill_what_an_insert_leaves_out() {
    let file = File::migrated(Side::Device).await;
    let inserts = "
        INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
            VALUES ('u', 'e', 'n', 0, '2026-01-02', '2026-01-02');
        INSERT INTO profiles (user_id, name, avatar) VALUES ('u', 'n', 'a');
        INSERT INTO watch_history (profile_id, meta_id, meta_type) VALUES (1, 'tt1', 'movie')";
    file.db.execute_unprepared(inserts).await.unwrap();

    let profile = "SELECT avatar_type || ' ' || avatar_style || ' ' || dirty || ' ' ||
        (remote_id IS NULL) || (deleted_at IS NULL) || (is_default IS NULL) || ' ' ||
        (updated_at GLOB '20??-??-?? ??:??:??') FROM profiles";
    assert_eq!(
        text(&file.db, profile).await,
        "initials bottts-neutral 0 111 1"
    );
    let watched = "SELECT season || ' ' || episode FROM watch_history";
    assert_eq!(text(&file.db, watched).await, "-1 -1");
}
