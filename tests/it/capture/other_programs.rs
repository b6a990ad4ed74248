//! Programs that are not ours, on the same database at the same time.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    the_databases_own_program_writes,
    another_program_writes_while_the_engine_does
);

/// `sqlite3` or `psql`, whichever the database is for.
fn program(db: &CapturedDb, sql: &str) -> Command {
    match db.file() {
        Some(file) => {
            let mut sqlite3 = Command::new("sqlite3");
            sqlite3
                .arg("-bail")
                .arg("-cmd")
                .arg(".timeout 5000")
                .arg(file)
                .arg(sql);
            sqlite3
        }
        None => {
            let mut psql = Command::new("psql");
            psql.args(["-qv", "ON_ERROR_STOP=1", "-d", db.url(), "-c", sql]);
            psql
        }
    }
}

async fn run(mut program: Command) -> Result<()> {
    let output = tokio::task::spawn_blocking(move || program.output())
        .await?
        .context("is it installed?")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

async fn the_databases_own_program_writes(db: CapturedDb) -> Result<()> {
    let sql = "INSERT INTO lists (profile_id, name) VALUES (1, 'Later');
        UPDATE lists SET name = 'Ours' WHERE id = 1;
        UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = 1";
    run(program(&db, sql)).await?;

    let expected = [
        "list_items 1 deleted_at",
        "list_items 2 deleted_at",
        "lists 1 deleted_at",
        "lists 1 name",
        "lists 2 *",
    ];
    assert_eq!(db.pending().await?, expected);
    Ok(())
}

/// `sqlite3` does not enforce foreign keys: the triggers do what they would have done.
async fn the_databases_own_program_deletes(db: CapturedDb) -> Result<()> {
    run(program(&db, "DELETE FROM lists WHERE id = 1")).await?;
    assert_eq!(
        db.pending().await?,
        ["list_items 1 gone", "list_items 2 gone", "lists 1 gone"]
    );

    db.sync().await?;

    assert_eq!(db.pending().await?, [""; 0]);
    if let Some(status) = db.status().await? {
        assert!(status.quarantined.is_empty(), "{:?}", status.quarantined);
    }
    assert_eq!(
        db.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        [""; 0]
    );
    let other = db.another_device(2).await?;
    other.sync().await?;
    assert_eq!(other.rows("SELECT name FROM lists").await?, [""; 0]);
    assert_eq!(other.rows("SELECT meta_id FROM list_items").await?, [""; 0]);
    Ok(())
}

/// What the engine writes is not captured, what others write meanwhile is.
async fn another_program_writes_while_the_engine_does(db: CapturedDb) -> Result<()> {
    let other = db.another_device(2).await?;
    other.sync().await?;
    for round in 0..5 {
        other
            .sql(&format!("UPDATE list_items SET title = 'title {round}'"))
            .await?;
        other.sync().await?;
        let sql = format!("UPDATE lists SET name = 'name {round}'");
        let (written, synced) = tokio::join!(run(program(&db, &sql)), db.sync());
        written.and(synced)?;
    }

    db.sync().await?;
    other.sync().await?;

    assert_eq!(db.pending().await?, [""; 0]);
    assert_eq!(
        db.rows("SELECT title FROM list_items").await?,
        ["title 4", "title 4"]
    );
    assert_eq!(other.rows("SELECT name FROM lists").await?, ["name 4"]);
    Ok(())
}

wherever_capture_runs!(the_databases_own_program_deletes);

async fn the_databases_own_program_deletes_what_others_refer_to(db: CapturedDb) -> Result<()> {
    run(program(&db, "DELETE FROM settings_profiles")).await?;

    let expected = [
        "appearance_settings 1 gone",
        "profile_addons 1 gone",
        "profiles 1 settings_profile_id",
        "settings_profiles 1 gone",
        "stream_settings 1 gone",
    ];
    assert_eq!(db.pending().await?, expected);
    Ok(())
}

wherever_capture_runs!(the_databases_own_program_deletes_what_others_refer_to);
