//! A SQLite file that the application made.

use sea_orm_migration::sea_orm::ConnectionTrait;

use super::{File, text, texts};
use crate::{Side, up};

const GENERATION_3: &str = include_str!("generation_3.sql");

/// Every value of every table that is there now, with its storage class, and how each was declared.
async fn contents(db: &impl ConnectionTrait) -> Vec<String> {
    let columns = "SELECT t.name || '|' || group_concat('quote(\"' || c.name || '\")', '||'',''||')
        FROM sqlite_master t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name <> 'sqlite_sequence' GROUP BY t.name ORDER BY t.name";
    let mut all = texts(
        db,
        "SELECT name || ':' || sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name",
    )
    .await;
    for table in texts(db, columns).await {
        let (name, values) = table.split_once('|').unwrap();
        let rows = texts(
            db,
            &format!("SELECT {values} FROM \"{name}\" ORDER BY rowid"),
        )
        .await;
        all.extend(rows.into_iter().map(|row| format!("{name}: {row}")));
    }
    all
}

#[tokio::test]
async fn todays_database_keeps_every_row_column_and_constraint() {
    let file = File::with(GENERATION_3).await;
    let before = contents(&file.db).await;
    assert!(
        before
            .iter()
            .any(|line| line.starts_with("profiles: 4,'u1','Änna','a.png','image',1"))
    );

    up(&file.db, Side::Device).await.unwrap();

    let mut after = contents(&file.db).await;
    after.retain(|line| !line.starts_with("sync_migrations:") && !line.starts_with("ix_"));
    assert_eq!(after, before);
    assert_eq!(
        texts(&file.db, "SELECT \"table\" FROM pragma_foreign_key_check").await,
        [""; 0]
    );
    assert_eq!(
        text(
            &file.db,
            "SELECT integrity_check FROM pragma_integrity_check"
        )
        .await,
        "ok"
    );
}

#[tokio::test]
async fn todays_database_serves_as_a_servers_too() {
    let file = File::with(GENERATION_3).await;
    let better_auth = "CREATE TABLE session (id TEXT PRIMARY KEY, expiresAt DATETIME NOT NULL,
            token TEXT UNIQUE NOT NULL, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL,
            userId TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE, impersonatedBy TEXT);
        INSERT INTO session VALUES ('s', '2030-01-01', 't', '2025-01-01', '2025-01-01', 'u1', NULL)";
    file.db.execute_unprepared(better_auth).await.unwrap();

    up(&file.db, Side::Server).await.unwrap();

    let session = "SELECT token || userId || (userAgent IS NULL) FROM session";
    assert_eq!(text(&file.db, session).await, "tu11");
    assert_eq!(
        texts(&file.db, "SELECT token_hash FROM sync_device").await,
        [""; 0]
    );
}

#[tokio::test]
async fn the_applications_own_upserts_go_on_working() {
    let file = File::with(GENERATION_3).await;
    up(&file.db, Side::Device).await.unwrap();

    let upsert = "INSERT INTO list_items (list_id, meta_id, type) VALUES (11, 'tt3', 'movie')
        ON CONFLICT(list_id, meta_id) DO UPDATE SET deleted_at = NULL";
    file.db.execute_unprepared(upsert).await.unwrap();

    assert_eq!(
        texts(&file.db, "SELECT deleted_at FROM list_items").await,
        ["-", "-"]
    );
}

#[tokio::test]
async fn missing_columns_come_with_their_defaults() {
    let older = "
        CREATE TABLE user (id TEXT PRIMARY KEY, email TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
            emailVerified BOOLEAN NOT NULL, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL);
        INSERT INTO user VALUES ('u1', 'e', 'n', 1, '2025-01-01', '2025-01-01');
        CREATE TABLE profiles (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL REFERENCES user(id),
            name TEXT NOT NULL, avatar TEXT NOT NULL, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP);
        INSERT INTO profiles VALUES (1, 'u1', 'Anna', 'a', '2025-01-01 00:00:00');
        CREATE TABLE lists (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
            profile_id INTEGER NOT NULL REFERENCES profiles(id), UNIQUE (profile_id, name));
        INSERT INTO lists VALUES (1, 'Mine', 1)";
    let file = File::with(older).await;

    up(&file.db, Side::Device).await.unwrap();

    let profile = "SELECT concat_ws(' ', name, avatar_type, avatar_style, dirty, updated_at,
        settings_profile_id, remote_id) FROM profiles";
    let expected = "Anna initials bottts-neutral 0 2025-01-01 00:00:00";
    assert_eq!(text(&file.db, profile).await, expected);
    // It is not known when the list was last changed, so nothing is said of it.
    let list = "SELECT concat_ws(' ', name, dirty, updated_at) FROM lists";
    assert_eq!(text(&file.db, list).await, "Mine 0");
    let action = "SELECT on_delete FROM pragma_foreign_key_list('profiles') WHERE \"from\" = 'settings_profile_id'";
    assert_eq!(text(&file.db, action).await, "SET NULL");
}

#[tokio::test]
async fn a_foreign_database_is_refused_and_left_as_it_is() {
    let file = File::with("CREATE TABLE profiles (id INTEGER PRIMARY KEY, nick TEXT)").await;
    let before = contents(&file.db).await;

    let error = up(&file.db, Side::Device).await.unwrap_err().to_string();

    assert!(
        error.contains("table profiles has no column user_id"),
        "{error}"
    );
    assert_eq!(contents(&file.db).await, before);
}
