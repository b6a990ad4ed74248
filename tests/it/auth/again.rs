//! Logged out and in again, and a database that forgot where it stood.

use anyhow::Result;
use sync_core::{SyncError, device::Connection};
use sync_tests::{SceneDevice, TestDb, on_both_backends, scene::USER};

use crate::conflict::family;

on_both_backends!(
    at07_the_same_account_again_doubles_nothing,
    at07_also_where_the_cursor_was_lost,
    at06_another_account_gets_nothing_of_the_first,
    at09_what_is_dirty_at_the_logout_is_pushed_after_the_login,
);

async fn login(device: &SceneDevice, account: &str) -> Result<(), SyncError> {
    let connection = Connection {
        remote_url: "http://server.test".to_owned(),
        remote_user_id: account.to_owned(),
        email: None,
        auth_token: "another".to_owned(),
        local_user_id: USER.to_owned(),
    };
    device.device.device.connect(&connection).await
}

async fn at07_the_same_account_again_doubles_nothing(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    let head = scene.head().await?;
    for _ in 0..2 {
        a.device.device.disconnect().await?;
        assert!(matches!(a.sync().await, Err(SyncError::NotConnected)));
        login(&a, USER).await?;
        a.net.forget();
        a.sync().await?;
        assert!(a.net.pushes().is_empty());
    }
    assert_eq!(scene.head().await?, head);
    scene.settled(&[&a, &b, &c]).await
}

async fn at07_also_where_the_cursor_was_lost(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    b.at(
        -2_000,
        "UPDATE lists SET name = 'B'; INSERT INTO lists (profile_id, name) VALUES (1, 'New')",
    )
    .await?;
    b.sync().await?;
    a.at(
        -1_000,
        "INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'tt2', 'movie' FROM lists",
    )
    .await?;
    a.device.device.disconnect().await?;
    a.sql("UPDATE sync_state SET cursor = NULL, epoch = NULL")
        .await?;
    login(&a, USER).await?;
    scene.settled(&[&a, &b, &c]).await?;
    for (table, n) in [("profiles", "1"), ("lists", "2"), ("list_items", "2")] {
        assert_eq!(
            scene.one(&format!("SELECT count(*) FROM {table}")).await?,
            n,
            "{table}"
        );
    }
    Ok(())
}

async fn at06_another_account_gets_nothing_of_the_first(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(-1_000, "UPDATE profiles SET name = 'Secret'").await?;
    a.device.device.disconnect().await?;
    let refused = login(&a, "u2").await;
    assert!(
        matches!(refused, Err(SyncError::Refused { ref code, .. }) if code == "other_account"),
        "{refused:?}"
    );
    a.net.forget();
    assert!(a.sync().await.is_err());
    assert!(a.net.requests().is_empty());
    login(&a, USER).await?;
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(scene.one("SELECT name FROM profiles").await?, "Secret");
    Ok(())
}

async fn at09_what_is_dirty_at_the_logout_is_pushed_after_the_login(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(-3_000, "UPDATE list_items SET title = 'Before'")
        .await?;
    a.device.device.disconnect().await?;
    a.at(-2_000, "UPDATE list_items SET poster = 'While out'; DELETE FROM watch_history; INSERT INTO lists (profile_id, name) VALUES (1, 'New')").await?;
    assert!(!a.dirty().await?.is_empty());
    login(&a, USER).await?;
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(
        b.one("SELECT title || poster FROM list_items").await?,
        "BeforeWhile out"
    );
    assert_eq!(
        b.one("SELECT count(*) FROM watch_history WHERE deleted_at IS NULL")
            .await?,
        "0"
    );
    assert_eq!(b.one("SELECT count(*) FROM lists").await?, "2");
    Ok(())
}
