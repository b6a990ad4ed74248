//! What people do with the page, in a real browser.

use anyhow::{Result, ensure};
use sea_orm::ConnectionTrait;
use serde_json::json;
use sync_tests::{
    TestDb,
    browser::Browser,
    on_both_backends,
    programs::{Program, ServerProgram, Started, until},
};

use super::{Device, EMAIL, PASSWORD, serve, server};

on_both_backends!(
    a_wrong_and_a_right_password,
    an_edit_on_another_device_appears_without_loading_the_page,
    sync_now_with_the_keyboard_alone,
);

async fn log_in(browser: &Browser, server: &ServerProgram, password: &str) -> Result<()> {
    log_in_as(browser, server, EMAIL, password).await
}

pub(super) async fn log_in_as(
    browser: &Browser,
    server: &ServerProgram,
    email: &str,
    password: &str,
) -> Result<()> {
    browser.fill("#url", &server.url()).await?;
    browser.fill("#email", email).await?;
    browser.fill("#password", password).await?;
    browser.click("#connect").await
}

async fn a_wrong_and_a_right_password(db: TestDb) -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let server = serve(&db)?;
    let device = Device::new().await?;
    browser.open(&device.page.url()).await?;
    browser.says("Not connected.").await?;
    let url = browser.element("#url").await?.prop("value").await?;
    ensure!(url.as_deref() == Some("https://zentrio.eu"), "{url:?}");

    log_in(&browser, &server, "wrong").await?;
    browser
        .says("The server does not accept this email and password.")
        .await?;
    browser.keep("wrong-password").await?;
    // What was typed is still there, but for the password; who cannot see is told what went wrong.
    for (field, expected) in [
        ("#url", server.url()),
        ("#email", EMAIL.to_owned()),
        ("#password", String::new()),
    ] {
        let value = browser.element(field).await?.prop("value").await?;
        ensure!(value.as_deref() == Some(&expected), "{field}: {value:?}");
    }
    let focused = browser
        .run("return document.activeElement.id + ' ' + document.activeElement.role")
        .await?;
    ensure!(focused == json!("message alert"), "{focused}");

    log_in(&browser, &server, PASSWORD).await?;
    browser.says("Everything is synced.").await?;
    browser.says(EMAIL).await?;
    browser.says("this device").await?;
    let source = browser.client.source().await?;
    ensure!(
        !source.contains(PASSWORD) && !source.contains("zs1."),
        "a secret is in the page"
    );
    browser.close().await
}

async fn an_edit_on_another_device_appears_without_loading_the_page(db: TestDb) -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let server = serve(&db)?;
    let (here, there) = (
        Device::connected(&server).await?,
        Device::connected(&server).await?,
    );
    browser.open(&here.page.url()).await?;
    browser.says("Everything is synced.").await?;
    browser.run("window.mark = 'the same page'").await?;
    there.add_profile("Zoë").await?;
    browser.says("received 1 row").await?;
    ensure!(here.rows("SELECT name FROM profiles").await? == ["Zoë"]);
    // And the other way round: seen to wait, and then gone.
    here.sql("UPDATE profiles SET name = 'Ann'").await?;
    browser.says("sent 1 row").await?;
    there.until_synced().await?;
    let mark = browser.run("return window.mark").await?;
    ensure!(mark == json!("the same page"), "the page was loaded again");
    browser.close().await
}

async fn sync_now_with_the_keyboard_alone(db: TestDb) -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let server = serve(&db)?;
    let device = Device::connected(&server).await?;
    browser.open(&device.page.url()).await?;
    let mut focused = Vec::new();
    for _ in 0..10 {
        // Tab.
        browser
            .client
            .active_element()
            .await?
            .send_keys("\u{e004}")
            .await?;
        let id = browser
            .run("return document.activeElement.id || document.activeElement.className")
            .await?;
        focused.push(id.as_str().unwrap_or_default().to_owned());
        if id == json!("sync-now") {
            break;
        }
    }
    ensure!(focused == ["skip", "sync-now"], "{focused:?}");
    let outline = browser
        .run("return getComputedStyle(document.activeElement).outlineStyle")
        .await?;
    ensure!(
        outline == json!("solid"),
        "the focus is not seen: {outline}"
    );
    let before = device.sync.status().borrow().n_syncs;
    browser
        .client
        .active_element()
        .await?
        .send_keys("\u{e007}")
        .await?;
    browser.says("Synced. There was nothing new.").await?;
    ensure!(device.sync.status().borrow().n_syncs > before);
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_and_starts_again() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let (db, server) = server().await?;
    let device = Device::connected(&server).await?;
    browser.open(&device.page.url()).await?;
    browser.says("Everything is synced.").await?;
    let address = server.address;
    server.stop()?;
    device.add_profile("Zoë").await?;
    browser.says("Offline.").await?;
    browser.says("1 changed row here will be sent.").await?;
    browser.keep("offline").await?;
    let text = browser.text().await?;
    ensure!(!text.to_lowercase().contains("error"), "{text}");
    let _server = ServerProgram::start_again(db.url(), address)?;
    browser.says("Everything is synced.").await?;
    device.until_synced().await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_was_revoked() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let (db, server) = server().await?;
    let device = Device::connected(&server).await?;
    browser.open(&device.page.url()).await?;
    browser.says("Everything is synced.").await?;
    db.connect()
        .await?
        .execute_unprepared("UPDATE sync_device SET revoked_at = created_at")
        .await?;
    device.add_profile("Zoë").await?;
    browser.says("Please log in again.").await?;
    browser.keep("login-ended").await?;
    let email = browser.element("#email").await?.prop("value").await?;
    ensure!(email.as_deref() == Some(EMAIL), "{email:?}");
    log_in(&browser, &server, PASSWORD).await?;
    browser.says("Everything is synced.").await?;
    ensure!(device.sync.status().borrow().overview.n_pending == 0);
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_need_somebody_are_tried_again_and_given_up() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let (db, server) = server().await?;
    let (here, there) = (
        Device::connected(&server).await?,
        Device::connected(&server).await?,
    );
    let at_server = db.connect().await?;
    at_server
        .execute_unprepared(
            "CREATE TRIGGER refuse BEFORE INSERT ON profiles WHEN NEW.name LIKE 'bad%'
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .await?;
    here.sql(
        "CREATE TRIGGER odd BEFORE INSERT ON profiles WHEN NEW.name = 'odd'
         BEGIN SELECT RAISE(ABORT, 'odd is not allowed here'); END",
    )
    .await?;
    there.add_profile("odd").await?;
    here.add_profile("bad <b>one</b>").await?;
    here.add_profile("bad two").await?;
    browser.open(&here.page.url()).await?;
    browser.says("Not taken by the server").await?;
    browser.says("Not written on this device").await?;
    browser.says("Synced, but for 3 rows.").await?;
    browser.says("Profile “bad <b>one</b>”").await?;
    browser.keep("rows").await?;

    // One is corrected at the server and tried again.
    at_server.execute_unprepared("DROP TRIGGER refuse").await?;
    browser.click("#retry-profiles-1").await?;
    browser.says("Synced, but for 1 row.").await?;
    ensure!(there.rows("SELECT 1").await? == ["1"]);
    // What cannot be written here is tried again, in vain.
    browser.click("#rows button[id^=retry-]").await?;
    browser.says("Synced, but for 1 row.").await?;
    browser.click("#rows details summary").await?;
    browser.click("#rows details .danger").await?;
    browser.says("The row is left out on this device").await?;
    browser.says("Everything is synced.").await?;
    // It comes again when it changes elsewhere.
    here.sql("DROP TRIGGER odd").await?;
    there
        .sql("UPDATE profiles SET avatar = 'b' WHERE name = 'odd'")
        .await?;
    browser.says("received 1 row").await?;
    ensure!(
        here.rows("SELECT 1 FROM profiles WHERE name = 'odd'")
            .await?
            .len()
            == 1
    );
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_server_refuses_is_discarded() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let (db, server) = server().await?;
    let device = Device::connected(&server).await?;
    db.connect()
        .await?
        .execute_unprepared(
            "CREATE TRIGGER refuse BEFORE INSERT ON profiles WHEN NEW.name = 'bad'
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .await?;
    device.add_profile("bad").await?;
    browser.open(&device.page.url()).await?;
    browser.says("Synced, but for 1 row.").await?;
    browser.click("#rows details summary").await?;
    browser.keep("discard").await?;
    browser.click("#rows details .danger").await?;
    browser.says("The row is removed.").await?;
    browser.says("Everything is synced.").await?;
    ensure!(device.rows("SELECT 1 FROM profiles").await?.is_empty());
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_life_asks_whose_data_is_right() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    for (choice, expected) in [("keep-mine", "1"), ("take-theirs", "0")] {
        let (db, server) = server().await?;
        let device = Device::connected(&server).await?;
        device.add_profile("Zoë").await?;
        device.until_synced().await?;
        browser.open(&device.page.url()).await?;
        browser.says("Everything is synced.").await?;
        let address = server.address;
        server.stop()?;
        let there = db.connect().await?;
        there
            .execute_unprepared(
                "DELETE FROM profiles; DELETE FROM sync_feed; DELETE FROM sync_account",
            )
            .await?;
        let mut command = Program::Server.command()?;
        command.args(["--database-url", db.url(), "epoch", "new"]);
        Started::new(&mut command, "")?.ended()?.with_code(0)?;
        let _server = ServerProgram::start_again(db.url(), address)?;
        browser.says("Whose data is right?").await?;
        if choice == "keep-mine" {
            browser.keep("choice").await?;
        } else {
            browser.click("#choice summary").await?;
        }
        ensure!(
            device.rows("SELECT count(*) FROM profiles").await? == ["1"],
            "nothing is deleted before"
        );
        browser.click(&format!("#{choice}")).await?;
        until("the choice is carried out", async || {
            Ok(device.rows("SELECT count(*) FROM profiles").await? == [expected])
        })
        .await?;
        browser.says("Everything is synced.").await?;
        ensure!(
            device.rows("SELECT count(*) FROM profiles").await? == [expected],
            "{choice}"
        );
        device.sync.stop().await;
    }
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn other_devices_are_listed_and_logged_out() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let (_db, server) = server().await?;
    let (here, there) = (
        Device::connected(&server).await?,
        Device::connected(&server).await?,
    );
    browser.open(&here.page.url()).await?;
    browser.says("Devices of the account").await?;
    browser.click("#devices details summary").await?;
    browser.click("#devices details .danger").await?;
    browser.says("The device is logged out.").await?;
    there.add_profile("Zoë").await?;
    sync_tests::background::until(&there.sync, "it is logged out", |s| {
        s.overview.state == app_adapter::Standing::LoginNeeded
    })
    .await?;
    browser.click("#disconnect-now").await?;
    browser.says("Not connected.").await?;
    browser.says("Disconnected. All data stays here.").await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_actions_go_without_javascript() -> Result<()> {
    let Some(browser) = Browser::without_scripts().await? else {
        return Ok(());
    };
    let (_db, server) = server().await?;
    let device = Device::new().await?;
    browser.open(&device.page.url()).await?;
    ensure!(
        browser.text().await?.contains("loaded again"),
        "scripts run"
    );
    log_in(&browser, &server, PASSWORD).await?;
    browser.says("Connected.").await?;
    device.until_synced().await?;
    device.add_profile("Zoë").await?;
    browser.click("#sync-now").await?;
    browser.says("Synced. Sent 1, received 0.").await?;
    browser.keep("without-javascript").await?;
    browser.click("#disconnect-now").await?;
    browser.says("Not connected.").await?;
    browser.close().await
}
