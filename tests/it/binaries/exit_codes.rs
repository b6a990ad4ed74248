//! How the programs end: what a script may rely on. `--json` prints one object, whatever happens.

use std::fs;

use anyhow::{Result, ensure};
use sea_orm::ConnectionTrait;
use sync_tests::{
    Backend, TestDb,
    gate::{Gate, Stop},
    on_both_backends,
    programs::{DeviceFile, Program, ServerProgram, Started},
};

use super::{EMAIL, PASSWORD, all_agree, code, device, serve};

on_both_backends!(
    a_wrong_password_opens_nothing,
    a_server_that_is_down_is_no_harm,
    a_login_that_was_ended_is_told
);

async fn a_wrong_password_opens_nothing(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let file = DeviceFile::missing()?;
    for (email, password) in [
        (EMAIL, "wrong horse battery"),
        ("nobody@example.org", PASSWORD),
        ("ANNA", PASSWORD),
    ] {
        let refused = file
            .connect(&server.url(), email, password)?
            .with_code(3)?
            .json()?;
        ensure!(code(&refused) == "wrong_password", "{email}: {refused}");
        ensure!(file.status()?["state"] == "not_connected");
    }
    let refused = file.zentrio(&["sync", "--json"])?.with_code(3)?.json()?;
    ensure!(code(&refused) == "not_connected", "{refused}");
    // However the address is written.
    file.connect(&server.url(), " Anna@Example.ORG ", PASSWORD)?
        .with_code(0)?;
    file.sync()?;
    Ok(())
}

async fn a_server_that_is_down_is_no_harm(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let a = device(&server.url())?;
    let (address, url) = (server.address, server.url());
    server.kill()?;
    a.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user")?;
    let offline = a.zentrio(&["sync", "--json"])?.with_code(4)?.json()?;
    ensure!(code(&offline) == "offline", "{offline}");
    let status = a.status()?;
    ensure!(
        status["n_pending"] == 1 && status["state"] == "pending",
        "{status}"
    );
    ensure!(
        status["last_error"]
            .as_str()
            .is_some_and(|error| error.starts_with("offline")),
        "{status}"
    );
    let refused = DeviceFile::missing()?
        .connect(&url, EMAIL, PASSWORD)?
        .with_code(4)?
        .json()?;
    ensure!(code(&refused) == "offline", "{refused}");

    let server = ServerProgram::start_again(db.url(), address)?;
    a.sync()?;
    ensure!(a.status()?["last_error"].is_null());
    all_agree(&db, &[&a]).await?;
    // Logging out needs no server.
    server.stop()?;
    let alone = a.zentrio(&["disconnect", "--json"])?.with_code(0)?.json()?;
    ensure!(
        alone["was_connected"] == true && alone["is_revoked"] == false,
        "{alone}"
    );
    Ok(())
}

async fn a_login_that_was_ended_is_told(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let a = device(&server.url())?;
    a.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user")?;
    let ended = "UPDATE sync_device SET revoked_at = CURRENT_TIMESTAMP";
    db.connect().await?.execute_unprepared(ended).await?;
    let refused = a.zentrio(&["sync", "--json"])?.with_code(3)?.json()?;
    ensure!(code(&refused) == "unauthorized", "{refused}");
    let status = a.status()?;
    ensure!(
        status["state"] == "login_needed" && status["n_pending"] == 1,
        "{status}"
    );
    a.connect(&server.url(), EMAIL, PASSWORD)?.with_code(0)?;
    ensure!(a.sync()?["n_pushed"] == 1);
    all_agree(&db, &[&a]).await
}

#[tokio::test]
async fn a_row_that_is_not_taken_is_told_until_it_is() -> Result<()> {
    let db = TestDb::new(Backend::Sqlite).await?;
    let server = serve(&db)?;
    let a = device(&server.url())?;
    a.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user;
           INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Big', hex(zeroblob(1000000)) FROM user")?;
    let incomplete = a.zentrio(&["sync", "--json"])?.with_code(6)?.json()?;
    ensure!(
        incomplete["n_pushed"] == 1 && incomplete["n_pending"] == 1,
        "{incomplete}"
    );
    ensure!(
        incomplete["rejected"][0]["table"] == "profiles",
        "{incomplete}"
    );
    let status = a.status()?;
    ensure!(
        status["state"] == "attention" && status["rejected"][0]["row_id"] == 2,
        "{status}"
    );
    a.zentrio(&["sync", "--json"])?.with_code(6)?.json()?;
    a.sql("UPDATE profiles SET avatar = 'small' WHERE name = 'Big'")?;
    a.sync()?;
    all_agree(&db, &[&a]).await
}

#[tokio::test]
async fn f37_two_syncs_of_one_file_take_turns() -> Result<()> {
    let db = TestDb::new(Backend::Sqlite).await?;
    let server = serve(&db)?;
    let gate = Gate::before(server.address)?;
    let a = device(&gate.url())?;
    a.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user")?;
    gate.stop_at(Stop::AnswerOfPush(1));
    let first = a.start_zentrio(&["sync", "--json"])?;
    gate.stops().await?;
    let busy = a.zentrio(&["sync", "--json"])?.with_code(5)?.json()?;
    ensure!(code(&busy) == "busy", "{busy}");
    // Neither asking nor editing waits for a sync.
    a.status()?;
    a.sql("UPDATE profiles SET name = 'Zoé'")?;
    gate.open();
    let first = first.ended()?.with_code(0)?.json()?;
    ensure!(first["n_pushed"] == 2, "{first}");
    all_agree(&db, &[&a]).await
}

#[test]
fn wrong_usage_and_unusable_files_are_told_apart() -> Result<()> {
    let file = DeviceFile::missing()?;
    let connect = |args: &[&str], stdin: &str| {
        let args: Vec<&str> = ["connect", "--json"].iter().chain(args).copied().collect();
        file.zentrio_told(&args, stdin)?.with_code(2)?.json()
    };
    let url = ["--url", "http://127.0.0.1:1"];
    for (args, stdin, expected) in [
        (
            ["--url", "ftp://x", "--email", EMAIL, "--password-stdin"].as_slice(),
            "p\n",
            "bad_url",
        ),
        (
            &[
                "--url",
                "http://example.org",
                "--email",
                EMAIL,
                "--password-stdin",
            ],
            "p\n",
            "bad_url",
        ),
        (&[url[0], url[1], "--password-stdin"], "p\n", "no_email"),
        (
            &[url[0], url[1], "--email", EMAIL, "--password-stdin"],
            "",
            "no_password",
        ),
        (&[url[0], url[1], "--email", EMAIL], "", "no_password"),
        (&["--no-such-flag"], "", "usage"),
    ] {
        let refused = connect(args, stdin)?;
        ensure!(code(&refused) == expected, "{args:?}: {refused}");
    }
    let mut nameless = Program::Device.command()?;
    let nameless = Started::new(nameless.args(["sync", "--json"]), "")?
        .ended()?
        .with_code(2)?
        .json()?;
    ensure!(code(&nameless) == "usage", "{nameless}");

    for (what, expected) in [
        (
            "no database at all, just some text that is long enough to look at",
            "not_a_database",
        ),
        ("", ""),
    ] {
        let file = DeviceFile::missing()?;
        fs::write(file.path(), what)?;
        let ended = file.zentrio(&["status", "--json"])?;
        if expected.is_empty() {
            ended.with_code(0)?.json()?;
        } else {
            let refused = ended.with_code(7)?.json()?;
            ensure!(code(&refused) == expected, "{what}: {refused}");
            ensure!(
                fs::read_to_string(file.path())? == what,
                "the file was changed"
            );
        }
    }
    let foreign =
        DeviceFile::of_the_app("CREATE TABLE profiles (id INTEGER PRIMARY KEY, nick TEXT)")?;
    let before = foreign.dump()?;
    foreign
        .zentrio(&["status", "--json"])?
        .with_code(7)?
        .json()?;
    ensure!(foreign.dump()? == before, "a foreign database was changed");
    Ok(())
}

#[tokio::test]
async fn the_servers_commands_end_as_they_say() -> Result<()> {
    let db = TestDb::new(Backend::Sqlite).await?;
    for (email, password, code) in [
        (EMAIL, PASSWORD, 0),
        (EMAIL, PASSWORD, 3),
        (" ANNA@example.org", PASSWORD, 3),
        ("no address", PASSWORD, 1),
        ("ben@example.org", "short", 1),
        ("ben@example.org", "", 1),
    ] {
        let ended = ServerProgram::add_user_to(db.url(), email, password)?.with_code(code)?;
        ensure!((code == 0) != ended.stdout.is_empty(), "{ended:?}");
    }
    let server = |args: &[&str]| Started::new(Program::Server.command()?.args(args), "")?.ended();
    server(&["migrate", "--database-url", db.url()])?.with_code(0)?;
    server(&["migrate", "--database-url", "mysql://x"])?.with_code(1)?;
    server(&["serve", "--no-such-flag"])?.with_code(2)?;
    // Without a password of its own it makes one up, and that one works.
    let added = server(&[
        "user",
        "add",
        "ben@example.org",
        "--json",
        "--database-url",
        db.url(),
    ])?
    .with_code(0)?
    .json()?;
    let running = ServerProgram::start(db.url())?;
    let password = added["password"].as_str().unwrap_or_default();
    DeviceFile::missing()?
        .connect(&running.url(), "ben@example.org", password)?
        .with_code(0)?;
    // A port that somebody has is told.
    let taken = running.address.to_string();
    server(&["serve", "--database-url", db.url(), "--listen", &taken])?.with_code(1)?;
    running.stop()?;
    Ok(())
}
