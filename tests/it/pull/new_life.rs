//! The server's data is not what the device has synced with: it says so, and touches nothing.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_core::{SyncError, SystemClock, UuidV7, device::Restart};
use sync_tests::{Backend, InProcessServer, Scene, SceneDevice, TestDb, on_both_backends};

/// The server was set up anew.
async fn pl14_a_wiped_server_is_told_and_nothing_is_deleted_or_sent(db: TestDb) -> Result<()> {
    let (scene, devices) = with_edits(db).await?;
    wipe(&scene).await?;
    new_epoch(&scene).await?;
    for device in &devices {
        refuses(&scene, device, "epoch_changed").await?;
    }
    Ok(())
}

/// Only the account's data went.
async fn pl14_so_is_a_wiped_account(db: TestDb) -> Result<()> {
    let (scene, devices) = with_edits(db).await?;
    wipe(&scene).await?;
    for device in &devices {
        refuses(&scene, device, "cursor_ahead").await?;
    }
    Ok(())
}

/// A person says that the devices are right: all they have is sent again, and merged.
async fn pl14_what_was_lost_at_the_server_is_sent_again_when_told_to(db: TestDb) -> Result<()> {
    let (scene, devices) = with_edits(db).await?;
    let before = values(&devices[0]).await?.len();
    wipe(&scene).await?;
    new_epoch(&scene).await?;
    for device in &devices {
        assert!(device.sync().await.is_err());
        device.device.device.restart(Restart::KeepMine).await?;
    }
    scene.settled(&devices.each_ref()).await?;
    let names = "SELECT name FROM profiles UNION ALL SELECT name FROM lists ORDER BY 1";
    assert_eq!(scene.rows(names).await?, ["Edited", "New", "One", "Two"]);
    assert_eq!(values(&devices[0]).await?.len(), before + 1);
    Ok(())
}

/// The same life, and yet most rows are gone: nothing goes here before a person has said so.
async fn pl15_a_server_that_lost_most_rows_is_told(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    for number in 0..30 {
        a.add_list(profile, &format!("List {number}")).await?;
    }
    scene.settled(&[&a, &b]).await?;
    for sql in [
        "DELETE FROM lists",
        "DELETE FROM sync_deleted",
        "DELETE FROM sync_feed WHERE tbl = 'lists'",
        "UPDATE sync_account SET horizon = head + 1, head = head + 1",
    ] {
        scene.server.db.execute_unprepared(sql).await?;
    }
    b.add_list(1, "Mine").await?;
    for _ in 0..2 {
        let error = b.sync().await.err().map(|error| error.word().to_owned());
        assert_eq!(error.as_deref(), Some("mass_deletion"));
        assert_eq!(b.one("SELECT count(*) FROM lists").await?, "31");
    }
    b.device.device.restart(Restart::TakeTheirs).await?;
    b.sync().await?;
    assert_eq!(b.rows("SELECT name FROM lists").await?, ["Mine"]);
    assert_eq!(scene.rows("SELECT name FROM lists").await?, ["Mine"]);
    Ok(())
}

/// Devices with nothing pending, with an edit, with a new row.
async fn with_edits(db: TestDb) -> Result<(Scene, [SceneDevice; 3])> {
    let scene = Scene::new(db).await?;
    let devices = [
        scene.device().await?,
        scene.device().await?,
        scene.device().await?,
    ];
    two_lists(&devices[0]).await?;
    scene.settled(&devices.each_ref()).await?;
    devices[1]
        .sql("UPDATE profiles SET name = 'Edited'")
        .await?;
    devices[2].add_list(1, "New").await?;
    Ok((scene, devices))
}

/// A device that has to pull from the beginning, such as after an upgrade, still knows whom it synced with.
async fn pl14_a_new_life_is_noticed_without_a_cursor(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    two_lists(&a).await?;
    wipe(&scene).await?;
    new_epoch(&scene).await?;
    a.sql("UPDATE sync_state SET cursor = NULL").await?;
    refuses(&scene, &a, "epoch_changed").await
}

/// The server's database was put back to an older copy.
#[tokio::test]
async fn pl13_a_server_put_back_to_a_backup_is_told() -> Result<()> {
    let (backup, scene, a, b) = restored().await?;
    for device in [&a, &b] {
        let before = device.everything().await?;
        let net = backup.transport(sync_tests::scene::USER, device.number);
        for _ in 0..2 {
            let error = device
                .device
                .device
                .sync(&*net, &|_| {})
                .await
                .err()
                .map(|error| error.word().to_owned());
            assert_eq!(error.as_deref(), Some("cursor_ahead"));
            assert_eq!(device.everything().await?, before);
        }
        let status = device.status().await?;
        assert!(
            status
                .last_error
                .is_some_and(|error| error.starts_with("cursor_ahead"))
        );
    }
    drop(scene);
    Ok(())
}

/// The same when the feed has grown past the device's cursor again before the device comes.
#[tokio::test]
async fn pl13_so_it_is_when_others_have_pushed_since() -> Result<()> {
    let (backup, scene, a, b) = restored().await?;
    let c = scene.device().await?;
    let net = backup.transport(sync_tests::scene::USER, 9);
    for number in 0..20 {
        c.add_profile(&format!("Since {number}")).await?;
    }
    c.device.device.sync(&*net, &|_| {}).await?;
    for device in [&a, &b] {
        let net = backup.transport(sync_tests::scene::USER, device.number);
        let error = device
            .device
            .device
            .sync(&*net, &|_| {})
            .await
            .err()
            .map(|error| error.word().to_owned());
        assert!(
            error.is_some(),
            "rows that the backup lacks are here only, and nobody is told"
        );
    }
    Ok(())
}

/// Two devices that have synced more than a backup of their server holds.
async fn restored() -> Result<(InProcessServer, Scene, SceneDevice, SceneDevice)> {
    let scene = Scene::new(TestDb::new(Backend::Sqlite).await?).await?;
    let (a, b) = scene.pair().await?;
    two_lists(&a).await?;
    let copy = TestDb::new(Backend::Sqlite).await?;
    let file = copy.file().unwrap_or_default();
    scene
        .server
        .db
        .execute_unprepared(&format!("VACUUM INTO '{}'", file.display()))
        .await?;
    a.add_list(1, "Since the backup").await?;
    b.sync().await?;
    b.sql("UPDATE profiles SET name = 'Since the backup'")
        .await?;
    scene.settled(&[&a, &b]).await?;
    let db = copy.connect().await?;
    let registry = entity::registry()?;
    let backup = InProcessServer::with(
        copy,
        db,
        registry,
        std::sync::Arc::new(SystemClock),
        std::sync::Arc::new(UuidV7),
    )
    .await?;
    Ok((backup, scene, a, b))
}

/// The operator says that a new life began, whatever the data is: nothing goes either way before every
/// device's user has chosen, and either choice keeps what was not pushed yet.
async fn f32_after_a_new_epoch_either_choice_keeps_unpushed_edits(db: TestDb) -> Result<()> {
    for choices in [
        [
            Restart::TakeTheirs,
            Restart::TakeTheirs,
            Restart::TakeTheirs,
        ],
        [Restart::KeepMine, Restart::KeepMine, Restart::KeepMine],
        [Restart::TakeTheirs, Restart::KeepMine, Restart::TakeTheirs],
    ] {
        let (scene, devices) = with_edits(TestDb::new(db.backend()).await?).await?;
        devices[0].sync().await?;
        let server = scene.account(sync_tests::scene::USER).await?;
        let epoch = scene.server.engine.epoch().await?;
        assert_ne!(scene.server.engine.begin_epoch().await?, epoch);
        for device in &devices {
            let before = (values(device).await?, device.pending().await?);
            for _ in 0..2 {
                let error = device.sync().await.err();
                assert!(
                    error.as_ref().is_some_and(SyncError::needs_choice),
                    "{error:?}"
                );
                assert_eq!(
                    error.map(|error| error.word().to_owned()).as_deref(),
                    Some("epoch_changed")
                );
            }
            assert_eq!((values(device).await?, device.pending().await?), before);
        }
        assert_eq!(scene.account(sync_tests::scene::USER).await?, server);
        for (device, choice) in devices.iter().zip(choices) {
            device.device.device.restart(choice).await?;
        }
        scene.settled(&devices.each_ref()).await?;
        let names = "SELECT name FROM profiles UNION ALL SELECT name FROM lists ORDER BY 1";
        assert_eq!(
            scene.rows(names).await?,
            ["Edited", "New", "One", "Two"],
            "{choices:?}"
        );
    }
    Ok(())
}

/// Another server answers at the same address, for an account of the same name.
async fn pl14_another_server_is_told_from_ones_own(db: TestDb) -> Result<()> {
    let other = Scene::new(TestDb::new(db.backend()).await?).await?;
    let stranger = other.device().await?;
    stranger.add_profile("A stranger").await?;
    stranger.sync().await?;
    let (scene, devices) = with_edits(db).await?;
    let there = other.account(sync_tests::scene::USER).await?;
    for device in &devices {
        let before = (values(device).await?, device.pending().await?);
        let net = other
            .server
            .transport(sync_tests::scene::USER, device.number);
        for _ in 0..2 {
            let error = device.device.device.sync(&*net, &|_| {}).await.err();
            assert_eq!(
                error.map(|error| error.word().to_owned()).as_deref(),
                Some("epoch_changed")
            );
        }
        assert_eq!((values(device).await?, device.pending().await?), before);
    }
    assert_eq!(other.account(sync_tests::scene::USER).await?, there);
    // Its own server is back.
    scene.settled(&devices.each_ref()).await
}

/// A backup put back under a new epoch: what it lacks comes from the devices that keep theirs.
#[tokio::test]
async fn f32_a_backup_under_a_new_epoch_is_told_and_filled_when_told_to() -> Result<()> {
    let (backup, _scene, a, b) = restored().await?;
    backup.engine.begin_epoch().await?;
    a.add_list(1, "Not pushed").await?;
    let net = |device: &SceneDevice| backup.transport(sync_tests::scene::USER, device.number);
    for device in [&a, &b] {
        let error = device
            .device
            .device
            .sync(&*net(device), &|_| {})
            .await
            .err();
        assert_eq!(
            error.map(|error| error.word().to_owned()).as_deref(),
            Some("epoch_changed")
        );
    }
    a.device.device.restart(Restart::TakeTheirs).await?;
    b.device.device.restart(Restart::KeepMine).await?;
    for device in [&a, &b, &a] {
        device.device.device.sync(&*net(device), &|_| {}).await?;
    }
    let names = "SELECT name FROM lists WHERE deleted_at IS NULL ORDER BY name";
    let expected = ["Not pushed", "One", "Since the backup", "Two"];
    for device in [&a, &b] {
        device.device.device.sync(&*net(device), &|_| {}).await?;
        assert_eq!(device.rows(names).await?, expected);
        assert_eq!(
            device.rows("SELECT name FROM profiles").await?,
            ["Since the backup"]
        );
        device.check().await?;
    }
    Ok(())
}

/// Every sync ends with this word; the device keeps all, the server gets nothing.
async fn refuses(scene: &Scene, device: &SceneDevice, word: &str) -> Result<()> {
    let (before, number) = (values(device).await?, device.number);
    for round in 0..3 {
        let error = device
            .sync()
            .await
            .err()
            .map(|error| error.word().to_owned());
        assert_eq!(
            error.as_deref(),
            Some(word),
            "device {number}, round {round}"
        );
        assert_eq!(
            values(device).await?,
            before,
            "device {number}, round {round}"
        );
        for table in ["profiles", "lists", "list_items"] {
            let there = scene.one(&format!("SELECT count(*) FROM {table}")).await?;
            assert_eq!(there, "0", "{table} of device {number} in round {round}");
        }
    }
    let status = device.status().await?;
    assert!(
        status
            .last_error
            .is_some_and(|error| error.starts_with(word))
    );
    Ok(())
}

/// What a user sees of the device's rows.
async fn values(device: &SceneDevice) -> Result<Vec<String>> {
    device
        .rows(
            "SELECT 'p', id, name, deleted_at FROM profiles UNION ALL SELECT 'l', id, name, deleted_at FROM lists
             UNION ALL SELECT 'i', id, meta_id, deleted_at FROM list_items ORDER BY 1, 2",
        )
        .await
}

async fn two_lists(device: &SceneDevice) -> Result<()> {
    let profile = device.add_profile("Kids").await?;
    for name in ["One", "Two"] {
        let list = device.add_list(profile, name).await?;
        device.add_item(list, "tt1").await?;
    }
    device.sync().await?;
    Ok(())
}

/// The server's data begins a new life.
async fn new_epoch(scene: &Scene) -> Result<()> {
    scene.server.engine.begin_epoch().await?;
    Ok(())
}

/// Removes the account's rows and all that the server knows of them.
async fn wipe(scene: &Scene) -> Result<()> {
    for table in ["list_items", "lists", "profiles"] {
        scene
            .server
            .db
            .execute_unprepared(&format!("DELETE FROM {table}"))
            .await?;
    }
    for table in [
        "sync_feed",
        "sync_alias",
        "sync_peer",
        "sync_account",
        "sync_pending",
        "sync_deleted",
    ] {
        scene
            .server
            .db
            .execute_unprepared(&format!("DELETE FROM {table}"))
            .await?;
    }
    Ok(())
}

on_both_backends!(
    pl14_a_wiped_server_is_told_and_nothing_is_deleted_or_sent,
    pl14_what_was_lost_at_the_server_is_sent_again_when_told_to,
    pl15_a_server_that_lost_most_rows_is_told,
);

on_both_backends!(pl14_a_new_life_is_noticed_without_a_cursor);

on_both_backends!(pl14_so_is_a_wiped_account);

on_both_backends!(
    f32_after_a_new_epoch_either_choice_keeps_unpushed_edits,
    pl14_another_server_is_told_from_ones_own,
);
