//! Installing sync around the tables, again and again, and after somebody was at the triggers.

use anyhow::Result;
use sync_core::schema::{Side, check, install};
use sync_tests::{CapturedDb, TestDb, on_both_backends, wherever_capture_runs};

wherever_capture_runs!(
    nothing_differs_after_installing,
    installing_again_writes_nothing,
    installing_again_needs_no_right_to_write,
    a_dropped_trigger_is_found_and_repaired,
);

async fn differing(db: &CapturedDb) -> Result<Vec<&'static str>> {
    let differences = check(db.db(), &entity::registry()?).await?;
    Ok(differences
        .iter()
        .map(|difference| difference.table)
        .collect())
}

async fn repair(db: &CapturedDb) -> Result<()> {
    let side = if db.status().await?.is_some() {
        Side::Device
    } else {
        Side::Server
    };
    Ok(install(db.db(), side, &entity::registry()?).await?)
}

async fn nothing_differs_after_installing(db: CapturedDb) -> Result<()> {
    assert_eq!(differing(&db).await?, [""; 0]);
    Ok(())
}

/// Every row version, trigger and function on Postgres; on SQLite the schema and what another connection
/// notices of commits.
async fn state(db: &CapturedDb) -> Result<Vec<String>> {
    if !db.is_postgres() {
        return db.rows("SELECT schema_version FROM pragma_schema_version UNION ALL SELECT count(*) FROM sync_pending").await;
    }
    let mut state = db.rows("SELECT oid, xmin FROM pg_trigger").await?;
    state.extend(
        db.rows("SELECT oid, xmin FROM pg_proc WHERE proname LIKE 'sync%'")
            .await?,
    );
    state.extend(
        db.rows("SELECT oid, xmin FROM pg_class WHERE relnamespace = 'public'::regnamespace")
            .await?,
    );
    for table in db.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace").await? {
        state.extend(db.rows(&format!("SELECT '{table}' AS tbl, ctid, xmin FROM \"{table}\"")).await?);
    }
    state.sort();
    Ok(state)
}

async fn installing_again_writes_nothing(db: CapturedDb) -> Result<()> {
    let before = state(&db).await?;
    let watcher = match db.file() {
        Some(file) => {
            Some(sync_tests::device::open(&format!("sqlite://{}", file.display())).await?)
        }
        None => None,
    };
    let mut commits = Vec::new();
    for _ in 0..2 {
        if let Some(watcher) = &watcher {
            let version = "SELECT data_version FROM pragma_data_version";
            commits.push(sync_tests::text_rows::text_row(watcher, version).await?);
        }
        repair(&db).await?;
    }

    assert_eq!(state(&db).await?, before);
    assert!(
        commits.windows(2).all(|pair| pair[0] == pair[1]),
        "{commits:?}"
    );
    Ok(())
}

/// As a server starts that may read and write rows but not change the schema.
async fn installing_again_needs_no_right_to_write(db: CapturedDb) -> Result<()> {
    if db.is_postgres() {
        // A role that is everywhere; what it is granted here goes with the database.
        db.sql(
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO pg_monitor;
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO pg_monitor; SET ROLE pg_monitor",
        )
        .await?;
    } else {
        db.sql("PRAGMA query_only = ON").await?;
    }

    repair(&db).await?;

    assert_eq!(differing(&db).await?, [""; 0]);
    Ok(())
}

/// The trigger that captures edits of a list.
fn trigger(db: &CapturedDb) -> &'static str {
    if db.is_postgres() {
        "sync_lists_record"
    } else {
        "sync_lists_update"
    }
}

async fn a_dropped_trigger_is_found_and_repaired(db: CapturedDb) -> Result<()> {
    let on = if db.is_postgres() { "ON lists" } else { "" };
    db.sql(&format!("DROP TRIGGER {} {on}", trigger(&db)))
        .await?;
    found_and_repaired(&db).await
}

async fn an_altered_trigger_is_found_and_repaired(db: CapturedDb) -> Result<()> {
    if db.is_postgres() {
        db.sql("CREATE OR REPLACE FUNCTION sync_lists_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$")
            .await?;
    } else {
        db.sql("DROP TRIGGER sync_lists_update; CREATE TRIGGER sync_lists_update AFTER UPDATE ON lists BEGIN SELECT 1; END")
            .await?;
    }
    found_and_repaired(&db).await
}

/// Only Postgres can; on SQLite the update trigger is moved to another table instead.
async fn a_trigger_that_is_switched_off_is_found_and_repaired(db: CapturedDb) -> Result<()> {
    if db.is_postgres() {
        db.sql("ALTER TABLE lists DISABLE TRIGGER sync_lists_record")
            .await?;
    } else {
        db.sql("DROP TRIGGER sync_lists_update; CREATE TRIGGER sync_lists_update AFTER UPDATE ON addons BEGIN SELECT 1; END")
            .await?;
    }
    found_and_repaired(&db).await
}

async fn found_and_repaired(db: &CapturedDb) -> Result<()> {
    assert_eq!(differing(db).await?, ["lists"]);

    repair(db).await?;

    assert_eq!(differing(db).await?, [""; 0]);
    db.sql("UPDATE lists SET name = 'Ours'").await?;
    assert_eq!(db.pending().await?, ["lists 1 name"]);
    Ok(())
}

async fn nothing_is_installed_before(database: TestDb) -> Result<()> {
    let db = database.connect().await?;
    migration::up(&db, migration::Side::Server).await?;

    let differences = check(&db, &entity::registry()?).await;

    // There is no table yet to look in, or every table differs.
    assert!(differences.map_or(true, |differences| differences.len() == 8));
    Ok(())
}

async fn without_the_tables_nothing_is_installed(database: TestDb) -> Result<()> {
    let db = database.connect().await?;

    let error = install(&db, Side::Server, &entity::registry()?)
        .await
        .expect_err("there are no tables");

    assert!(error.to_string().contains("there is no table"), "{error}");
    let tables = match database.backend() {
        sync_tests::Backend::Sqlite => "SELECT name FROM sqlite_master WHERE name LIKE 'sync%'",
        sync_tests::Backend::Postgres => "SELECT relname FROM pg_class WHERE relname LIKE 'sync%'",
    };
    assert_eq!(
        sync_tests::text_rows::text_rows(&db, tables).await?,
        [""; 0]
    );
    Ok(())
}

async fn two_programs_can_install_at_once(database: TestDb) -> Result<()> {
    let (one, two) = (database.connect().await?, database.connect().await?);
    migration::up(&one, migration::Side::Server).await?;
    let registry = entity::registry()?;

    let (first, second) = tokio::join!(
        install(&one, Side::Server, &registry),
        install(&two, Side::Server, &registry)
    );
    first.and(second)?;

    assert!(check(&one, &registry).await?.is_empty());
    Ok(())
}

on_both_backends!(
    nothing_is_installed_before,
    without_the_tables_nothing_is_installed,
    two_programs_can_install_at_once
);

wherever_capture_runs!(a_trigger_that_is_switched_off_is_found_and_repaired);

wherever_capture_runs!(an_altered_trigger_is_found_and_repaired);
