//! The same on Postgres. Needs a server, named by the environment variable `TEST_PG_URL` with
//! `{db}` in place of a database's name; without it these tests have nothing to do.

use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection};

use super::{text, texts};
use crate::{Side, up};

/// A new database on the test server, or `None` where there is no server.
async fn fresh() -> Option<String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("TEST_PG_URL").ok()?;
    let name = format!(
        "migration_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let admin = Database::connect(url.replace("{db}", "postgres"))
        .await
        .unwrap();
    admin
        .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}"))
        .await
        .unwrap();
    admin
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    Some(url.replace("{db}", &name))
}

async fn open(url: &str) -> DatabaseConnection {
    Database::connect(url).await.unwrap()
}

const COLUMNS: &str =
    "SELECT concat_ws(' ', table_name || '.' || column_name, data_type, is_nullable,
        is_identity, column_default)
    FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1";

#[tokio::test]
async fn types_are_the_ones_the_entities_read() {
    let Some(url) = fresh().await else { return };
    let db = open(&url).await;
    up(&db, Side::Server).await.unwrap();

    let columns = texts(&db, COLUMNS).await;
    for expected in [
        "lists.id bigint NO YES",
        "lists.is_default boolean YES NO",
        "lists.dirty boolean YES NO false",
        "list_items.imdb_rating double precision YES NO",
        "profiles.settings_profile_id bigint YES NO",
        "profiles.updated_at timestamp with time zone YES NO CURRENT_TIMESTAMP",
        "profiles.avatar_type text YES NO 'initials'::text",
        "user.emailVerified boolean NO NO",
        "session.expiresAt timestamp with time zone NO NO",
        "sync_device.scope text NO NO 'sync'::text",
    ] {
        assert!(
            columns.iter().any(|column| column == expected),
            "{expected} in {columns:#?}"
        );
    }
    assert!(
        !columns.iter().any(|column| column.contains(" integer ")),
        "{columns:#?}"
    );
}

#[tokio::test]
async fn a_second_time_changes_nothing() {
    let Some(url) = fresh().await else { return };
    let db = open(&url).await;
    up(&db, Side::Server).await.unwrap();
    let before = texts(&db, COLUMNS).await;

    up(&db, Side::Server).await.unwrap();

    assert_eq!(texts(&db, COLUMNS).await, before);
    assert_eq!(text(&db, "SELECT name FROM addons").await, "TMDB");
}

#[tokio::test]
async fn every_reference_has_an_index() {
    let Some(url) = fresh().await else { return };
    let db = open(&url).await;
    up(&db, Side::Server).await.unwrap();

    let unindexed = "SELECT c.conrelid::regclass || ' ' || c.conkey::text FROM pg_constraint c
        WHERE c.contype = 'f' AND NOT EXISTS
        (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])";
    assert_eq!(texts(&db, unindexed).await, [""; 0]);
    let count = "SELECT count(*)::text FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(text(&db, count).await, "16");
}

#[tokio::test]
async fn servers_that_start_together_take_turns() {
    let Some(url) = fresh().await else { return };
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { up(&open(&url).await, Side::Server).await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }

    let db = open(&url).await;
    assert_eq!(
        text(&db, "SELECT count(*)::text FROM sync_migrations").await,
        "5"
    );
    assert_eq!(text(&db, "SELECT count(*)::text FROM addons").await, "1");
}

#[tokio::test]
async fn a_failure_leaves_neither_tables_nor_the_lock_behind() {
    let Some(url) = fresh().await else { return };
    let db = open(&url).await;
    db.execute_unprepared("CREATE TABLE lists (nick TEXT)")
        .await
        .unwrap();

    up(&db, Side::Server).await.unwrap_err();

    let tables = "SELECT table_name::text FROM information_schema.tables
        WHERE table_schema = current_schema()";
    assert_eq!(texts(&db, tables).await, ["lists"]);
    db.execute_unprepared("DROP TABLE lists").await.unwrap();
    up(&open(&url).await, Side::Server).await.unwrap();
}
