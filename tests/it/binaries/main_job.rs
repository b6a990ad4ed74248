//! The main job from its beginning: make an account, connect two files, edit, sync, go on.

use anyhow::{Result, ensure};
use serde_json::json;
use sync_tests::{
    TestDb, on_both_backends,
    programs::{DeviceFile, ServerProgram},
};

use super::{EMAIL, PASSWORD, all_agree, code, device, serve};

on_both_backends!(
    two_files_sync_through_the_server,
    a_restarted_server_goes_on,
    a_disconnected_file_keeps_all_and_goes_on_later,
    an_account_can_be_added_while_the_server_runs,
);

const FIRST: &str = "
    INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z.png' FROM user;
    INSERT INTO lists (profile_id, name) SELECT id, 'Later' FROM profiles;
    INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt1', 'movie', 'It''s \"one\"' FROM lists;
    INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt2', 'movie', NULL FROM lists";

const TITLES: &str = "SELECT p.name || ': ' || group_concat(i.meta_id || '=' || coalesce(i.title, '-'), ' ')
    FROM profiles p JOIN lists l ON l.profile_id = p.id
    JOIN (SELECT * FROM list_items WHERE deleted_at IS NULL ORDER BY meta_id) i ON i.list_id = l.id";

async fn two_files_sync_through_the_server(db: TestDb) -> Result<()> {
    let added = ServerProgram::add_user_to(db.url(), EMAIL, PASSWORD)?
        .with_code(0)?
        .json()?;
    ensure!(
        added["email"] == EMAIL && added.get("password").is_none(),
        "{added}"
    );
    let server = ServerProgram::start(db.url())?;

    let (a, b) = (DeviceFile::missing()?, DeviceFile::missing()?);
    let connected = a
        .connect(&server.url(), EMAIL, PASSWORD)?
        .with_code(0)?
        .json()?;
    let expected = json!({
        "remote_url": server.url(), "user_id": added["userId"], "email": EMAIL, "local_user_id": added["userId"],
        "n_pending": 0,
    });
    ensure!(connected == expected, "{connected}");
    a.sql(FIRST)?;
    let status = a.status()?;
    ensure!(
        status["state"] == "pending" && status["n_pending"] == 4 && status["connected"] == true,
        "{status}"
    );
    let pending = json!([{"table": "profiles", "n_rows": 1}, {"table": "lists", "n_rows": 1}, {"table": "list_items", "n_rows": 2}]);
    ensure!(status["pending"] == pending, "{status}");
    let synced = a.sync()?;
    ensure!(
        synced["n_pushed"] == 4 && synced["n_pulled"] == 0 && synced["n_pending"] == 0,
        "{synced}"
    );
    let status = a.status()?;
    ensure!(
        status["state"] == "synced" && status["last_sync_ms"].is_i64(),
        "{status}"
    );

    b.connect(&server.url(), EMAIL, PASSWORD)?.with_code(0)?;
    let synced = b.sync()?;
    ensure!(
        synced["n_pushed"] == 0 && synced["n_pulled"] == 4,
        "{synced}"
    );
    ensure!(
        b.sql(TITLES)? == "Zoë: tt1=It's \"one\" tt2=-",
        "{}",
        b.sql(TITLES)?
    );

    b.sql(
        "UPDATE list_items SET title = 'Zwei' WHERE meta_id = 'tt2';
           UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE meta_id = 'tt1'",
    )?;
    ensure!(b.sync()?["n_pushed"] == 2 && a.sync()?["n_pulled"] == 2);
    ensure!(a.sql(TITLES)? == "Zoë: tt2=Zwei", "{}", a.sql(TITLES)?);
    a.sql("UPDATE list_items SET deleted_at = NULL WHERE meta_id = 'tt1'; DELETE FROM list_items WHERE meta_id = 'tt2'")?;
    ensure!(a.sync()?["n_pushed"] == 2 && b.sync()?["n_pulled"] == 2);
    ensure!(
        b.sql(TITLES)? == "Zoë: tt1=It's \"one\"",
        "{}",
        b.sql(TITLES)?
    );
    all_agree(&db, &[&a, &b]).await
}

async fn a_restarted_server_goes_on(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let (a, b) = (device(&server.url())?, device(&server.url())?);
    a.sql(FIRST)?;
    a.sync()?;
    let address = server.address;
    server.stop()?;
    // The app goes on meanwhile.
    a.sql("UPDATE list_items SET title = 'offline'")?;
    let server = ServerProgram::start_again(db.url(), address)?;
    a.sync()?;
    b.sync()?;
    ensure!(
        b.sql(TITLES)? == "Zoë: tt1=offline tt2=offline",
        "{}",
        b.sql(TITLES)?
    );
    all_agree(&db, &[&a, &b]).await?;
    server.stop()?;
    Ok(())
}

async fn a_disconnected_file_keeps_all_and_goes_on_later(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let (a, b) = (device(&server.url())?, device(&server.url())?);
    a.sql(FIRST)?;
    a.sync()?;
    b.sync()?;
    a.sql("UPDATE profiles SET name = 'Ann'")?;
    let disconnected = a.zentrio(&["disconnect", "--json"])?.with_code(0)?.json()?;
    ensure!(
        disconnected == json!({"was_connected": true, "is_revoked": true, "n_pending": 1}),
        "{disconnected}"
    );
    let refused = a.zentrio(&["sync", "--json"])?.with_code(3)?.json()?;
    ensure!(code(&refused) == "not_connected", "{refused}");
    let status = a.status()?;
    ensure!(
        status["state"] == "not_connected" && status["n_pending"] == 1,
        "{status}"
    );
    let again = a.zentrio(&["disconnect", "--json"])?.with_code(0)?.json()?;
    ensure!(again["was_connected"] == false, "{again}");
    a.sql("INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt3', 'movie', 'alone' FROM lists")?;
    b.sql("UPDATE list_items SET title = 'meanwhile' WHERE meta_id = 'tt2'")?;
    b.sync()?;

    // The server and the address are still known.
    let connected = a.zentrio_told(
        &["connect", "--password-stdin", "--json"],
        &format!("{PASSWORD}\n"),
    )?;
    let connected = connected.with_code(0)?.json()?;
    ensure!(connected["n_pending"] == 2, "{connected}");
    let synced = a.sync()?;
    ensure!(
        synced["n_pushed"] == 2 && synced["n_pulled"] == 1,
        "{synced}"
    );
    b.sync()?;
    ensure!(
        b.sql(TITLES)? == "Ann: tt1=It's \"one\" tt2=meanwhile tt3=alone",
        "{}",
        b.sql(TITLES)?
    );
    all_agree(&db, &[&a, &b]).await
}

async fn an_account_can_be_added_while_the_server_runs(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    server.add_user("ben@example.org", "another password")?;
    let (anna, ben) = (device(&server.url())?, DeviceFile::missing()?);
    ben.connect(&server.url(), "ben@example.org", "another password")?
        .with_code(0)?;
    for device in [&anna, &ben] {
        device.sql(FIRST)?;
        device.sync()?;
    }
    for device in [&anna, &ben] {
        let again = device.sync()?;
        ensure!(again["n_pulled"] == 0, "{again}");
        ensure!(device.sql("SELECT count(*) FROM profiles")? == "1");
    }
    // A file of one account is not sent to another.
    let other = anna
        .connect(&server.url(), "ben@example.org", "another password")?
        .with_code(8)?
        .json()?;
    ensure!(code(&other) == "other_account", "{other}");
    anna.sync()?;
    Ok(())
}
