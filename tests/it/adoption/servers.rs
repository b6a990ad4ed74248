//! A self-hoster's server file of the first two generations is adopted in place.

use anyhow::{Context, Result, ensure};
use sync_tests::{
    Backend, TestDb,
    account::{APP_STATEMENTS, GENERATION_1, GENERATION_2},
    programs::{DeviceFile, Program, ServerProgram, Started, sqlite3},
};

use super::oracle;
use crate::binaries::PASSWORD;

#[tokio::test]
async fn its_people_sync_what_was_there() -> Result<()> {
    for (generation, user) in [
        (GENERATION_1, "guest@local"),
        (GENERATION_2, "anna@example.org"),
    ] {
        let (db, before) = (
            TestDb::new(Backend::Sqlite).await?,
            DeviceFile::of_the_app(generation)?,
        );
        let file = db.file().context("a file")?;
        sqlite3(&file, generation)?;
        let mut migrate = Program::Server.command()?;
        migrate.args(["migrate", "--database-url", db.url()]);
        Started::new(&mut migrate, "")?.ended()?.with_code(0)?;
        oracle::same(&before.path(), &file)?;
        let mut password = Program::Server.command()?;
        password.args([
            "user",
            "password",
            user,
            "--password-stdin",
            "--database-url",
            db.url(),
        ]);
        Started::new(&mut password, &format!("{PASSWORD}\n"))?
            .ended()?
            .with_code(0)?;

        let server = ServerProgram::start(db.url())?;
        let device = DeviceFile::missing()?;
        device
            .connect(&server.url(), user, PASSWORD)?
            .with_code(0)?;
        device.sync()?;
        oracle::same(&before.path(), &device.path())?;
        // The app goes on writing the server's file.
        sqlite3(&file, APP_STATEMENTS)?;
        device.sync()?;
        let episodes = "SELECT count(*) FROM watch_history WHERE meta_id = 'tt9' AND season = 1";
        ensure!(device.sql(episodes)? == "2");
        ensure!(sqlite3(&file, "PRAGMA integrity_check; PRAGMA foreign_key_check")? == "ok");
    }
    Ok(())
}
