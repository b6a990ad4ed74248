//! A self-hoster's server database of today is adopted in place; the app goes on writing it.

use std::{path::PathBuf, sync::mpsc};

use anyhow::{Context, Result, ensure};
use sync_tests::{
    Backend, TestDb,
    account::TODAYS_DATABASE,
    programs::{DeviceFile, Program, ServerProgram, Started, sqlite3},
};

use super::{PASSWORD, is_at_rest};

const SERVERS: &str = include_str!("servers_database.sql");
const ANNA: &str = "anna@example.org";
const BOB: &str = "bob@example.org";

/// A server's file as the app made it.
struct Adopted {
    db: TestDb,
    file: PathBuf,
    /// Of each table what it held, in the columns it had.
    before: Vec<(String, String)>,
}

impl Adopted {
    async fn new() -> Result<Self> {
        let db = TestDb::new(Backend::Sqlite).await?;
        let file = db.file().context("a file")?;
        sqlite3(&file, TODAYS_DATABASE)?;
        sqlite3(&file, SERVERS)?;
        let tables = sqlite3(
            &file,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1",
        )?;
        let mut before = Vec::new();
        for table in tables.lines() {
            let columns = sqlite3(
                &file,
                // Names are given to rows that had none, which is what the mark stands for.
                &format!(
                    "SELECT group_concat('quote(\"' || name || '\")', ' || ''|'' || ') FROM pragma_table_info('{table}')
                     WHERE name NOT IN ('remote_id', 'dirty')"
                ),
            )?;
            let columns = match table {
                // What was live in a deleted profile is deleted with it: see below.
                "lists" => columns.replace(
                    "\"deleted_at\"",
                    "CASE WHEN profile_id <> 9 THEN deleted_at END",
                ),
                _ => columns,
            };
            let query = format!("SELECT {columns} FROM \"{table}\" ORDER BY 1");
            before.push((query.clone(), sqlite3(&file, &query)?));
        }
        Ok(Self { db, file, before })
    }

    fn sql(&self, sql: &str) -> Result<String> {
        sqlite3(&self.file, sql)
    }

    /// Every row and column is there as it was, and the file is sound.
    fn is_kept(&self) -> Result<()> {
        for (query, rows) in &self.before {
            let now = self.sql(query)?;
            ensure!(now == *rows, "{query}\nbefore:\n{rows}\nnow:\n{now}");
        }
        ensure!(self.sql("SELECT name FROM people ORDER BY 1")? == "Anna\nBob\nEve");
        ensure!(self.sql("PRAGMA integrity_check; PRAGMA foreign_key_check")? == "ok");
        Ok(())
    }

    fn migrate(&self) -> Result<()> {
        let mut command = Program::Server.command()?;
        command.args(["migrate", "--database-url", self.db.url()]);
        Started::new(&mut command, "")?.ended()?.with_code(0)?;
        Ok(())
    }

    /// Kills it when it says this.
    fn migrate_until(&self, word: &'static str) -> Result<()> {
        let mut command = Program::Server.command()?;
        command.args(["migrate", "--database-url", self.db.url()]);
        let (tell, told) = mpsc::channel();
        let process = Started::watched(&mut command, "", move |line| {
            if line.contains(word) {
                // Nobody waits for the second time.
                let _ = tell.send(());
            }
        })?;
        told.recv()
            .with_context(|| format!("it never said {word}"))?;
        // It may have come to its end meanwhile, and then that was too late to do harm.
        drop(process);
        Ok(())
    }
}

#[tokio::test]
async fn every_row_and_column_is_kept_also_when_it_is_interrupted() -> Result<()> {
    for migration in ["m20261123_000001", "m20261123_000002", "m20261123_000005"] {
        let adopted = Adopted::new().await?;
        adopted.migrate_until(migration)?;
        adopted.is_kept()?;
        goes_on_and_comes_to_its_end(&adopted)?;
    }
    Ok(())
}

fn goes_on_and_comes_to_its_end(adopted: &Adopted) -> Result<()> {
    adopted.migrate()?;
    adopted.is_kept()?;
    let in_deleted = "SELECT l.deleted_at = p.deleted_at FROM lists l JOIN profiles p ON p.id = l.profile_id WHERE p.id = 9";
    ensure!(adopted.sql(in_deleted)? == "1");
    let after = adopted.sql(".dump")?;
    adopted.migrate()?;
    ensure!(
        adopted.sql(".dump")? == after,
        "the second time changed something"
    );
    Ok(())
}

#[tokio::test]
async fn its_people_sync_and_the_app_goes_on_writing_the_file() -> Result<()> {
    let adopted = Adopted::new().await?;
    adopted.migrate()?;
    let server = ServerProgram::start(adopted.db.url())?;
    let device = |email: &str| -> Result<DeviceFile> {
        let device = DeviceFile::missing()?;
        device
            .connect(&server.url(), email, PASSWORD)?
            .with_code(0)?;
        device.sync()?;
        Ok(device)
    };
    let (anna, bob, bobs_other) = (device(ANNA)?, device(BOB)?, device(BOB)?);
    adopted.is_kept()?;
    ensure!(anna.sql("SELECT name FROM profiles WHERE deleted_at IS NULL")? == "Änna");
    for file in [&bob, &bobs_other] {
        let rows = file.sql(
            "SELECT p.name, s.name, l.name, i.title, w.position, w.watched_at IS NOT NULL FROM profiles p
             JOIN settings_profiles s ON s.id = p.settings_profile_id JOIN lists l ON l.profile_id = p.id
             JOIN list_items i ON i.list_id = l.id JOIN watch_history w ON w.profile_id = p.id",
        )?;
        ensure!(
            rows == "Bob's|Bob's|Favourites|The Shawshank Redemption|2800|1",
            "{rows}"
        );
    }

    // As the app writes, with what it forgets.
    adopted.sql(
        "INSERT INTO list_items (list_id, meta_id, type, title, updated_at, dirty)
           SELECT id, 'tt0068646', 'movie', 'The Godfather', CURRENT_TIMESTAMP, TRUE FROM lists WHERE name = 'Favourites'
           ON CONFLICT(list_id, meta_id) DO UPDATE SET deleted_at = NULL, title = excluded.title;
         UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE meta_id = 'tt0111161';
         INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, position)
           SELECT id, 'tt0903747', 'series', 1, 2, 15 FROM profiles WHERE user_id = 'u2'
           ON CONFLICT(profile_id, meta_id, season, episode) DO UPDATE SET position = excluded.position, dirty = TRUE;
         INSERT INTO profiles (user_id, name, avatar) VALUES ('u2', 'Kids', 'k');
         UPDATE profiles SET is_default = FALSE WHERE user_id = 'u2';
         UPDATE profiles SET is_default = TRUE, dirty = TRUE WHERE user_id = 'u2' AND name = 'Kids'",
    )?;
    for file in [&bob, &bobs_other] {
        file.sync()?;
        let items = file.sql("SELECT title FROM list_items WHERE deleted_at IS NULL")?;
        ensure!(items == "The Godfather", "{items}");
        ensure!(file.sql("SELECT position FROM watch_history")? == "15");
        let default = file.sql("SELECT name FROM profiles WHERE is_default ORDER BY 1")?;
        ensure!(default == "Kids", "{default}");
    }
    // What devices write is in the app's file, and the app's edit on top of it goes on.
    bob.sql("UPDATE list_items SET title = 'Part I' WHERE meta_id = 'tt0068646'")?;
    bob.sync()?;
    let here = "SELECT title FROM list_items i JOIN lists l ON l.id = i.list_id JOIN profiles p ON p.id = l.profile_id
                WHERE p.user_id = 'u2' AND i.deleted_at IS NULL";
    ensure!(adopted.sql(here)? == "Part I");
    adopted.sql("UPDATE list_items SET title = title || ' (1972)' WHERE title = 'Part I'")?;
    bobs_other.sync()?;
    bob.sync()?;
    for file in [&bob, &bobs_other, &anna] {
        is_at_rest(file)?;
    }
    ensure!(
        bobs_other.sql("SELECT title FROM list_items WHERE deleted_at IS NULL")? == "Part I (1972)"
    );
    // Nothing of it went to anybody else.
    ensure!(anna.sql("SELECT count(*) FROM list_items WHERE meta_id LIKE 'tt0%'")? == "0");
    let unknown = "SELECT hero_banner_enabled FROM profiles WHERE name = 'Änna'; SELECT theme_id FROM appearance_settings";
    ensure!(adopted.sql(unknown)? == "0\ndusk");
    Ok(())
}
