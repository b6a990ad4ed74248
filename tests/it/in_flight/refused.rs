//! Answers that come too late: to a row edited since, or to somebody who is gone.

use anyhow::Result;
use serde_json::Value;
use sync_core::SyncError;
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

/// The error is about a value that is not there any more.
async fn if07_an_error_about_an_older_value_is_dropped(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    for name in ["Good", "Bad"] {
        a.add_profile(name).await?;
    }
    rejects_and_meanwhile(
        &a,
        1,
        "UPDATE profiles SET name = 'Better' WHERE name = 'Bad'",
    );
    a.push().await?;
    assert_eq!(
        a.one("SELECT name FROM profiles WHERE dirty").await?,
        "Better"
    );
    assert_eq!(a.status().await?.rejected, []);
    scene.settled(&[&a, &b]).await
}

/// It goes out again before the sync ends, as any edit made meanwhile.
async fn if07_the_new_value_is_pushed_by_the_same_sync(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("Bad").await?;
    rejects_and_meanwhile(&a, 0, "UPDATE profiles SET name = 'Better'");
    a.sync().await?;
    assert_eq!(scene.one("SELECT name FROM profiles").await?, "Better");
    a.check().await?;
    assert_eq!(a.status().await?.rejected, []);
    Ok(())
}

/// The row is gone when its error comes.
async fn if07_an_error_about_a_deleted_row_is_dropped(db: TestDb) -> Result<()> {
    for delete in [
        "DELETE FROM profiles",
        "UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP",
    ] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (a, b) = scene.pair().await?;
        a.add_profile("Bad").await?;
        rejects_and_meanwhile(&a, 0, delete);
        a.push().await?;
        scene.settled(&[&a, &b]).await?;
        assert_eq!(a.status().await?.rejected, [], "{delete}");
    }
    Ok(())
}

/// The answer to a push is not for a database that has left the account meanwhile.
async fn if08_an_answer_after_the_logout_is_ignored(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    let (device, engine) = (a.everything().await?.len(), a.device.device.clone());
    a.net.on_push(Fault::after(move || async move {
        Ok(engine.disconnect().await?)
    }));
    let result = a.sync().await;
    assert!(
        matches!(result, Err(SyncError::NotConnected | SyncError::Busy)),
        "{result:?}"
    );
    assert_eq!(a.everything().await?.len(), device);
    assert_eq!(
        (a.dirty().await?, a.cursor().await?),
        (vec!["profiles 1".to_owned()], None)
    );
    assert!(
        a.net.pulls().is_empty(),
        "nothing more is asked in the account's name"
    );
    log_in_again(&a).await?;
    scene.settled(&[&a, &b]).await
}

async fn if08_a_page_after_the_logout_is_ignored(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, mut b) = scene.pair().await?;
    for number in 0..4 {
        a.add_profile(&format!("Kids {number}")).await?;
    }
    a.sync().await?;
    b.limit_rows(1_000, 2);
    let engine = b.device.device.clone();
    b.net.on_pull(Fault::after(move || async move {
        Ok(engine.disconnect().await?)
    }));
    let result = b.sync().await;
    assert!(
        matches!(result, Err(SyncError::NotConnected | SyncError::Busy)),
        "{result:?}"
    );
    assert_eq!((b.everything().await?, b.cursor().await?), (vec![], None));
    log_in_again(&b).await?;
    scene.settled(&[&a, &b]).await
}

/// The app throws its data away and starts anew while the answer is on its way.
async fn if08_an_answer_after_a_reset_is_ignored(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("Kids").await?;
    a.net.on_push(a.meanwhile(
        "DELETE FROM profiles; DELETE FROM sync_pending; DELETE FROM sync_deleted;
         UPDATE sync_state SET remote_url = NULL, remote_user_id = NULL, auth_token = NULL, local_user_id = NULL,
           epoch = NULL, cursor = NULL, push_no = 0",
    ));
    let result = a.sync().await;
    assert!(
        matches!(result, Err(SyncError::NotConnected | SyncError::Busy)),
        "{result:?}"
    );
    assert_eq!((a.everything().await?, a.cursor().await?), (vec![], None));
    assert_eq!(a.device.device.state().await?.epoch, None);
    Ok(())
}

/// Has the server reject one profile of the next push, and the user do something before the answer comes.
fn rejects_and_meanwhile(device: &SceneDevice, number: usize, sql: &'static str) {
    let Fault::After(act) = device.meanwhile(sql) else {
        unreachable!("an edit comes after the answer")
    };
    let spoil =
        move |push: &mut Value| push["tables"][0]["rows"][number]["row"]["avatar"] = Value::Null;
    device
        .net
        .on_push(Fault::ChangeRequestAndAfter(Box::new(spoil), act));
}

async fn log_in_again(device: &SceneDevice) -> Result<()> {
    let connection = sync_core::device::Connection {
        remote_url: "http://server.test".to_owned(),
        remote_user_id: sync_tests::scene::USER.to_owned(),
        email: None,
        auth_token: "sealed".to_owned(),
        local_user_id: sync_tests::scene::USER.to_owned(),
    };
    Ok(device.device.device.connect(&connection).await?)
}

on_both_backends!(
    if07_an_error_about_an_older_value_is_dropped,
    if07_the_new_value_is_pushed_by_the_same_sync,
    if07_an_error_about_a_deleted_row_is_dropped,
    if08_an_answer_after_the_logout_is_ignored,
    if08_a_page_after_the_logout_is_ignored,
    if08_an_answer_after_a_reset_is_ignored,
);
