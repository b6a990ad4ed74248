//! Another connection writes the same file, as the app does while the engine applies a page.

use std::sync::Arc;

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use tokio::sync::Mutex;

use sync_tests::{Fault, Scene, SceneDevice, TestDb, device::open, on_both_backends};

/// The page waits for the app's transaction, and then sees what it wrote.
async fn if11_a_page_waits_for_the_apps_transaction(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Zero").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE profiles SET name = 'From A', avatar = 'a'")
        .await?;
    a.sync().await?;
    let app = app(&b).await?;
    b.net.on_pull(Fault::after(move || async move {
        let tx = app.begin().await?;
        tx.execute_unprepared("UPDATE profiles SET name = 'From B'")
            .await?;
        tokio::spawn(async move {
            // Long enough for the engine to find the lock taken; what comes of it does not depend on that.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            tx.commit().await
        });
        Ok(())
    }));

    b.pull().await?;

    assert_eq!(
        b.one("SELECT name, avatar, dirty FROM profiles").await?,
        "From B|a|1"
    );
    assert_eq!(b.pending().await?, ["profiles 1 name"]);
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.one("SELECT name, avatar FROM profiles").await?,
        "From B|a"
    );
    Ok(())
}

/// It waits too long: the sync fails, and the next one brings the page.
async fn if11_a_page_that_waited_in_vain_comes_again(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    a.sync().await?;
    b.sql("PRAGMA busy_timeout = 20").await?;
    let (app, cursor) = (app(&b).await?, b.cursor().await?);
    let held = Arc::new(Mutex::new(None));
    let holder = Arc::clone(&held);
    b.net.on_pull(Fault::after(move || async move {
        let tx = app.begin().await?;
        tx.execute_unprepared("UPDATE addons SET name = 'Held'")
            .await?;
        *holder.lock().await = Some(tx);
        Ok(())
    }));

    let error = b.sync().await.err().map(|error| error.word().to_owned());

    assert_eq!(error.as_deref(), Some("database"));
    assert_eq!((b.everything().await?, b.cursor().await?), (vec![], cursor));
    held.lock()
        .await
        .take()
        .context("the app has its transaction")?
        .commit()
        .await?;
    scene.settled(&[&b, &a]).await
}

/// The app's transaction is rolled back in the end.
async fn if11_what_the_app_takes_back_was_never_there(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Zero").await?;
    scene.settled(&[&a, &b]).await?;
    let app = app(&b).await?;
    b.sql("UPDATE profiles SET avatar = 'b'").await?;
    b.net.on_push(Fault::after(move || async move {
        let tx = app.begin().await?;
        tx.execute_unprepared("UPDATE profiles SET name = 'Never'")
            .await?;
        tx.execute_unprepared(
            "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Never', 'x')",
        )
        .await?;
        Ok(tx.rollback().await?)
    }));
    b.sync().await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.rows("SELECT name, avatar FROM profiles").await?,
        ["Zero|b"]
    );
    Ok(())
}

/// The app writes all the time, on a connection of its own, while pushes and pulls come and go.
async fn if12_no_write_of_the_app_is_lost(db: TestDb) -> Result<()> {
    const WRITES: usize = 150;
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("0").await?;
    a.add_list(profile, "Favorites").await?;
    scene.settled(&[&a, &b]).await?;
    let app = app(&b).await?;
    let writer = tokio::spawn(async move {
        for number in 1..=WRITES {
            app.execute_unprepared(&format!("UPDATE profiles SET name = '{number}'"))
                .await?;
            let item = format!(
                "INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'tt{number}', 'movie')"
            );
            app.execute_unprepared(&item).await?;
        }
        anyhow::Ok(())
    });
    let mut number = 0;
    while !writer.is_finished() {
        number += 1;
        a.sql(&format!("UPDATE profiles SET avatar = '{number}'"))
            .await?;
        a.sync().await?;
        b.sync().await?;
    }
    writer.await??;

    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.one("SELECT name, avatar FROM profiles").await?,
        format!("{WRITES}|{number}")
    );
    assert_eq!(a.rows("SELECT id FROM list_items").await?.len(), WRITES);
    Ok(())
}

/// The same with both devices' apps at the same row; each has a field of its own.
async fn if12_nor_when_both_devices_write_one_row(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("0").await?;
    scene.settled(&[&a, &b]).await?;
    let mut writers = tokio::task::JoinSet::new();
    for (device, column) in [(&a, "name"), (&b, "avatar")] {
        let app = app(device).await?;
        writers.spawn(async move {
            for number in 1..=100 {
                app.execute_unprepared(&format!("UPDATE profiles SET {column} = '{number}'"))
                    .await?;
            }
            anyhow::Ok(())
        });
    }
    while !writers.is_empty() {
        for device in [&a, &b] {
            device.sync().await?;
        }
        while let Some(done) = writers.try_join_next() {
            done??;
        }
    }
    scene.settled(&[&a, &b]).await?;
    assert_eq!(a.one("SELECT name, avatar FROM profiles").await?, "100|100");
    Ok(())
}

/// The app's own connection to a device's file.
async fn app(device: &SceneDevice) -> Result<DatabaseConnection> {
    open(&format!("sqlite://{}", device.file().display())).await
}

on_both_backends!(
    if11_a_page_waits_for_the_apps_transaction,
    if11_a_page_that_waited_in_vain_comes_again,
    if11_what_the_app_takes_back_was_never_there,
    if12_no_write_of_the_app_is_lost,
    if12_nor_when_both_devices_write_one_row,
);
