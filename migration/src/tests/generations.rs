//! Files of every generation of the application.

use sea_orm_migration::{MigratorTrait, sea_orm::ConnectionTrait};

use super::{File, text, texts};
use crate::{LoginMigrator, Migrator, Side, changes_existing, up};

const GENERATIONS: [&str; 3] = [
    include_str!("generation_1.sql"),
    include_str!("generation_2.sql"),
    include_str!("generation_3.sql"),
];
const APP_STATEMENTS: &str = include_str!("app_statements.sql");

/// For each table a query of all it holds now, value by value as SQL writes it.
async fn queries(db: &impl ConnectionTrait) -> Vec<String> {
    let sql = "SELECT 'SELECT ' || group_concat('quote(\"' || c.name || '\")', '||'',''||') || ' FROM \"' || t.name
            || '\" ORDER BY rowid'
        FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name <> 'sqlite_sequence'
        GROUP BY t.name ORDER BY t.name";
    texts(db, sql).await
}

async fn answers(db: &impl ConnectionTrait, queries: &[String]) -> Vec<Vec<String>> {
    let mut answers = Vec::new();
    for query in queries {
        answers.push(texts(db, query).await);
    }
    answers
}

/// What stands around the tables, as it was written.
const AROUND: &str =
    "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL
    AND name NOT LIKE 'ix_%' ORDER BY name";
/// A table without rows has no last id.
const LAST_IDS: &str = "SELECT name || ' ' || seq FROM sqlite_sequence WHERE seq > 0 ORDER BY name";
const SCHEMA: &str =
    "SELECT type || name || coalesce(sql, '') FROM sqlite_master ORDER BY type, name";

async fn is_sound(db: &impl ConnectionTrait) {
    let broken = "SELECT \"table\" FROM pragma_foreign_key_check";
    assert_eq!(texts(db, broken).await, [""; 0]);
    let check = "SELECT integrity_check FROM pragma_integrity_check";
    assert_eq!(text(db, check).await, "ok");
}

#[tokio::test]
async fn every_value_stays_as_it_was() {
    for (sql, side) in GENERATIONS
        .iter()
        .flat_map(|sql| [(sql, Side::Device), (sql, Side::Server)])
    {
        let file = File::with(sql).await;
        let queries = queries(&file.db).await;
        let (before, around) = (
            answers(&file.db, &queries).await,
            texts(&file.db, AROUND).await,
        );
        let last_ids = texts(&file.db, LAST_IDS).await;
        assert!(changes_existing(&file.db).await.unwrap());

        up(&file.db, side).await.unwrap();

        assert_eq!(answers(&file.db, &queries).await, before);
        assert_eq!(texts(&file.db, AROUND).await, around);
        assert_eq!(texts(&file.db, LAST_IDS).await, last_ids);
        is_sound(&file.db).await;
        assert!(!changes_existing(&file.db).await.unwrap());
    }
}

#[tokio::test]
async fn a_second_time_changes_nothing() {
    for sql in GENERATIONS {
        let file = File::with(sql).await;
        up(&file.db, Side::Device).await.unwrap();
        let schema = texts(&file.db, SCHEMA).await;

        up(&file.db, Side::Device).await.unwrap();

        assert_eq!(texts(&file.db, SCHEMA).await, schema);
    }
}

#[tokio::test]
async fn todays_application_works_on_it() {
    for sql in GENERATIONS {
        let file = File::with(sql).await;
        up(&file.db, Side::Device).await.unwrap();

        file.db.execute_unprepared(APP_STATEMENTS).await.unwrap();

        let episodes = "SELECT season || '.' || episode || ' ' || position FROM watch_history WHERE meta_id = 'tt9' ORDER BY 1";
        assert_eq!(texts(&file.db, episodes).await, ["1.1 2650", "1.2 31"]);
        let film = "SELECT count(*) || ' ' || max(position) FROM watch_history WHERE meta_id = 'tt1' AND deleted_at IS NULL AND position = 777";
        assert_eq!(text(&file.db, film).await, "1 777");
        is_sound(&file.db).await;
    }
}

/// Of a show it had one row, and what the application's old upsert named is no constraint any more.
#[tokio::test]
async fn the_old_upsert_is_refused() {
    let file = File::with(GENERATIONS[0]).await;
    let old =
        "INSERT INTO watch_history (profile_id, meta_id, meta_type) VALUES (6, 'tt1', 'movie')
        ON CONFLICT(profile_id, meta_id) DO UPDATE SET position = 5";
    file.db.execute_unprepared(old).await.unwrap();
    up(&file.db, Side::Device).await.unwrap();
    let error = file.db.execute_unprepared(old).await.unwrap_err();
    assert!(error.to_string().contains("ON CONFLICT"), "{error}");
}

#[tokio::test]
async fn what_an_earlier_version_adopted_is_completed() {
    for sql in &GENERATIONS[..2] {
        let file = File::with(sql).await;
        Migrator::up(&file.db, Some(4)).await.unwrap();
        LoginMigrator::up(&file.db, None).await.unwrap();
        file.db
            .execute_unprepared("CREATE UNIQUE INDEX live ON watch_history (profile_id, meta_id, season, episode) WHERE deleted_at IS NULL")
            .await
            .unwrap();
        assert!(changes_existing(&file.db).await.unwrap());

        up(&file.db, Side::Server).await.unwrap();

        file.db.execute_unprepared(APP_STATEMENTS).await.unwrap();
        assert_eq!(
            text(
                &file.db,
                "SELECT name FROM sqlite_master WHERE name = 'live'"
            )
            .await,
            "live"
        );
    }
}

/// Some file may have been made without a constraint that the application relies on today.
#[tokio::test]
async fn a_missing_constraint_is_added_unless_rows_stand_in_the_way() {
    let without = GENERATIONS[0]
        .replace("UNIQUE(list_id, meta_id), ", "")
        .replace(
            "UNIQUE(profile_id, addon_id), UNIQUE(settings_profile_id, addon_id),\n",
            "\n",
        )
        .replace("profile_id INTEGER UNIQUE", "profile_id INTEGER");
    assert!(!without.contains("UNIQUE(list_id") && !without.contains("UNIQUE(settings_profile_id"));
    let file = File::with(&without).await;
    up(&file.db, Side::Device).await.unwrap();
    file.db.execute_unprepared(APP_STATEMENTS).await.unwrap();

    let twice = "INSERT INTO list_items (list_id, meta_id, type) VALUES (7, 'tt1', 'movie')";
    let file = File::with(&format!("{without}; {twice}")).await;
    up(&file.db, Side::Device).await.unwrap();
    let there =
        "SELECT CAST(count(*) AS TEXT) FROM list_items WHERE list_id = 7 AND meta_id = 'tt1'";
    assert_eq!(text(&file.db, there).await, "2");
    let index = "SELECT name FROM sqlite_master WHERE name LIKE 'uq_list%'";
    assert_eq!(texts(&file.db, index).await, [""; 0]);
}

/// A `watch_history` with all that a rebuilt table could lose.
const ODD: &str = "CREATE TABLE user (id TEXT PRIMARY KEY, email TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
        emailVerified BOOLEAN NOT NULL, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL);
    CREATE TABLE profiles (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, name TEXT NOT NULL, avatar TEXT NOT NULL);
    INSERT INTO profiles VALUES (1, 'u', 'n', 'a');
    CREATE TABLE watch_history (id INTEGER PRIMARY KEY AUTOINCREMENT, profile_id INTEGER NOT NULL REFERENCES profiles(id) ON DELETE CASCADE,
        \"meta_id\" TEXT NOT NULL COLLATE NOCASE, meta_type TEXT NOT NULL DEFAULT 'movie', position INTEGER, \"a, b\" , half AS (position / 2),
        any NUMERIC CHECK (any IS NULL OR any <> 13), CONSTRAINT one_row UNIQUE (profile_id, \"meta_id\") ON CONFLICT IGNORE);
    CREATE INDEX by_half ON watch_history (half DESC) WHERE half > 0;
    CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
    CREATE TRIGGER elsewhere AFTER INSERT ON notes BEGIN UPDATE watch_history SET position = 0 WHERE id = new.id; END;
    CREATE TRIGGER here AFTER DELETE ON watch_history BEGIN INSERT INTO notes (text) VALUES (old.meta_id); END;
    CREATE VIEW seen AS SELECT meta_id, half FROM watch_history;
    INSERT INTO watch_history (id, profile_id, meta_id, position, \"a, b\", any) VALUES
        (3, 1, 'TT1', 'x', x'00ff', 1e999), (5, 1, x'31', 7, 1.0, '07x'), (9, 1, 'tt3', 1.5, '1', 9223372036854775807);
    DELETE FROM watch_history WHERE id = 9;
    INSERT INTO watch_history (id, profile_id, meta_id, position, \"a, b\", any) VALUES (8, 1, '', NULL, '', -0.0)";

#[tokio::test]
async fn a_rebuilt_table_loses_nothing() {
    let file = File::with(ODD).await;
    let queries = queries(&file.db).await;
    let (before, around) = (
        answers(&file.db, &queries).await,
        texts(&file.db, AROUND).await,
    );
    let view = "SELECT quote(meta_id) || quote(half) FROM seen ORDER BY 1";
    let seen = texts(&file.db, view).await;

    up(&file.db, Side::Device).await.unwrap();

    assert_eq!(answers(&file.db, &queries).await, before);
    let mut after = texts(&file.db, AROUND).await;
    after.retain(|sql| !sql.contains("\"uq_"));
    assert_eq!(after, around);
    assert_eq!(texts(&file.db, view).await, seen);
    let insert = "INSERT INTO watch_history (profile_id, meta_id, episode) VALUES (1, 'tt1', 4), (1, 'tT1', 4)";
    file.db.execute_unprepared(insert).await.unwrap();
    let new = "SELECT group_concat(id || meta_id) FROM watch_history WHERE episode = 4";
    assert_eq!(
        text(&file.db, new).await,
        "10tt1",
        "the next id, and the constraint with its collation and what it does"
    );
    let refused = "INSERT INTO watch_history (profile_id, meta_id, any) VALUES (1, 'tt4', 13)";
    file.db.execute_unprepared(refused).await.unwrap_err();
}

#[tokio::test]
async fn what_refers_to_a_rebuilt_table_is_not_deleted() {
    let file = File::with(GENERATIONS[0]).await;
    let refers = "CREATE TABLE ratings (history_id INTEGER REFERENCES watch_history(id) ON DELETE CASCADE, stars INTEGER);
        INSERT INTO ratings VALUES (10, 5)";
    file.db.execute_unprepared(refers).await.unwrap();
    let error = up(&file.db, Side::Device).await.unwrap_err().to_string();
    assert!(error.contains("ratings refers to watch_history"), "{error}");
    let stars = "SELECT CAST(stars AS TEXT) FROM ratings";
    assert_eq!(text(&file.db, stars).await, "5");

    let off = "PRAGMA foreign_keys = OFF";
    file.db.execute_unprepared(off).await.unwrap();
    up(&file.db, Side::Device).await.unwrap();

    assert_eq!(text(&file.db, stars).await, "5");
    is_sound(&file.db).await;
}
