//! A first login on a device with data, and another account: what is asked, and what each answer does.

use anyhow::{Result, ensure};
use sync_tests::{browser::Browser, programs::ServerProgram};

use super::{Device, EMAIL, PASSWORD, in_a_browser::log_in_as, looks::every_look, server};

const BERT: &str = "bert@example.org";

const GUEST: &str = "
    INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
      VALUES ('guest', 'g@localhost', 'Guest', 0, '2026-01-02', '2026-01-02');
    INSERT INTO profiles (user_id, name, avatar) VALUES ('guest', 'Anna', 'here'), ('guest', 'Kids', 'k');
    INSERT INTO lists (profile_id, name) SELECT id, 'Films' FROM profiles";

#[tokio::test(flavor = "multi_thread")]
async fn a_device_with_data_shows_its_plan_and_merges() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let (_db, server) = server().await?;
    let there = Device::connected(&server).await?;
    there.add_profile("Anna").await?;
    there.until_synced().await?;
    let here = Device::new().await?;
    here.sql(GUEST).await?;
    browser.open(&here.page.url()).await?;
    log_in_as(&browser, &server, EMAIL, PASSWORD).await?;
    browser.says("What about the data that is here?").await?;
    browser
        .says("Profile: 1 new to the account, 1 different there")
        .await?;
    browser.says("List: 2 new to the account").await?;
    every_look(&browser, "plan").await?;
    ensure!(
        !here.sync.status().borrow().overview.status.connected,
        "it is done already"
    );

    browser.click("#cancel").await?;
    browser.says("Nothing was done. All is as it was.").await?;
    log_in_as(&browser, &server, EMAIL, PASSWORD).await?;
    browser.says("What about the data that is here?").await?;
    browser.click("#merge").await?;
    browser.says("Everything is synced.").await?;
    there.sync.sync_now().await?;
    let names = there
        .rows("SELECT name FROM profiles WHERE deleted_at IS NULL ORDER BY 1")
        .await?;
    ensure!(names == ["Anna", "Kids"], "{names:?}");
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_is_asked_about_and_set_aside() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let (db, server) = server().await?;
    ServerProgram::add_user_to(db.url(), BERT, PASSWORD)?.with_code(0)?;
    let here = Device::connected(&server).await?;
    here.add_profile("Of Anna").await?;
    here.until_synced().await?;
    browser.open(&here.page.url()).await?;
    browser.click("#other-account").await?;
    log_in_as(&browser, &server, BERT, PASSWORD).await?;
    browser
        .says("This device holds 1 row of anna@example.org")
        .await?;
    every_look(&browser, "another-account").await?;
    browser.click("#set-aside").await?;
    browser
        .says("The data of anna@example.org is set aside")
        .await?;
    browser
        .says("1 row of anna@example.org are set aside")
        .await?;
    ensure!(here.rows("SELECT name FROM profiles").await? == ["Of Anna"]);
    let named = here
        .rows("SELECT 1 FROM profiles WHERE remote_id IS NOT NULL")
        .await?;
    ensure!(named.is_empty(), "it was sent to another account");

    browser.click("#disconnect-now").await?;
    browser.says("Disconnected. All data stays here.").await?;
    log_in_as(&browser, &server, EMAIL, PASSWORD).await?;
    browser.says("What about the data that is here?").await?;
    browser.click("#set-aside").await?;
    browser.says("Everything is synced.").await?;
    let named = here
        .rows("SELECT 1 FROM profiles WHERE remote_id IS NOT NULL")
        .await?;
    ensure!(named.len() == 1);
    browser.close().await
}
