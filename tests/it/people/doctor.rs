//! The doctor on a database where nothing is wrong, on a busy account, on one without a server.

use anyhow::Result;
use sync_core::device::{Diagnosis, FindingKind};
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

use super::damage::{self, doctor, told};

async fn where_all_is_well_nothing_is_found_and_nothing_written(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql(
        "INSERT INTO profile_addons (profile_id, addon_id, priority) SELECT 1, id, 3 FROM addons",
    )
    .await?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = 2; DELETE FROM list_items WHERE id = 1").await?;
    scene.settled(&[&a, &b]).await?;
    // What is known of an addon besides its address is not synced.
    b.sql("UPDATE addons SET description = 'Known only here'")
        .await?;
    for device in [&a, &b] {
        let (before, head) = (device.everything().await?, scene.head().await?);
        let diagnosis = doctor(device, true).await?;
        assert_eq!(told(&diagnosis), [""; 0]);
        assert!(diagnosis.is_sound() && diagnosis.server_error.is_none());
        let compared = |table: &str| {
            diagnosis
                .tables
                .iter()
                .find(|t| t.table == table)
                .map(|t| t.n_rows)
        };
        assert_eq!(
            (
                compared("lists"),
                compared("profiles"),
                compared("profile_addons")
            ),
            (Some(1), Some(1), Some(1))
        );
        assert_eq!(
            (device.everything().await?, scene.head().await?),
            (before, head)
        );
    }
    scene.settled(&[&a, &b]).await
}

async fn a_device_that_is_new_or_empty_is_sound(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    assert!(doctor(&a, true).await?.is_sound());
    a.add_profile("Kids").await?;
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(told(&diagnosis), [""; 0], "what waits is sent, not found");
    scene.settled(&[&a]).await
}

/// Each time it compares, another device has pushed; at last it has not.
async fn a_feed_that_moves_is_pulled_and_compared_again(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    damage::here(&a, "UPDATE lists SET name = 'damaged' WHERE id = 1").await?;
    let (engine, net) = (b.device.device.clone(), std::sync::Arc::clone(&b.net));
    let push = move |n: i64| {
        let (engine, net) = (engine.clone(), std::sync::Arc::clone(&net));
        Fault::before(move || async move {
            let sql = format!("UPDATE lists SET is_default = {} WHERE name = 'Two'", n % 2);
            sea_orm::ConnectionTrait::execute_unprepared(engine.db(), &sql).await?;
            engine.sync(&*net, &|_| {}).await?;
            Ok(())
        })
    };
    // A pull, then a comparison that comes too late; and so on.
    a.net
        .plan_pulls([Fault::None, push(1), Fault::None, push(2)]);
    a.net.forget();
    let diagnosis = doctor(&a, true).await?;
    let asked = a.net.pulls();
    let before = asked
        .iter()
        .position(|path| path.ends_with("/rows"))
        .unwrap_or_default();
    let compared = asked[..before]
        .iter()
        .filter(|path| path.ends_with("/compare"))
        .count();
    assert_eq!(
        compared, 4,
        "twice too late, then the sums and the rows of a range: {asked:?}"
    );
    assert_eq!(told(&diagnosis), ["differs lists 1 name"]);
    assert!(diagnosis.is_sound(), "{diagnosis:?}");
    scene.settled(&[&a, &b]).await
}

async fn an_account_that_never_rests_is_told_from_a_sound_one(db: TestDb) -> Result<()> {
    let (_scene, a, _b) = world(db).await?;
    let moved = || {
        Fault::AnswerInstead(
            409,
            br#"{"code":"feed_moved","message":"sync first"}"#.to_vec(),
        )
    };
    let tries = (0..10).flat_map(|_| [Fault::None, moved()]);
    a.net.plan_pulls(tries);
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(diagnosis.server_error.as_deref(), Some("feed_moved"));
    assert!(diagnosis.tables.is_empty());
    Ok(())
}

async fn without_a_server_the_database_alone_is_looked_at(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    damage::here(
        &a,
        "UPDATE lists SET dirty = 1, name = 'damaged' WHERE id = 1",
    )
    .await?;
    a.net.on_push(Fault::Offline);
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(diagnosis.server_error.as_deref(), Some("offline"));
    assert_eq!(told(&diagnosis), ["missed_edit lists 1"]);
    let alone = a.device.device.doctor(None, true, &|_| {}).await?;
    assert_eq!(alone.server_error.as_deref(), Some("not_connected"));
    scene.settled(&[&a, &b]).await
}

async fn a_server_of_an_older_program_is_told(db: TestDb) -> Result<()> {
    let (_scene, a, _b) = world(db).await?;
    let missing = br#"{"code":"not_found","message":"There is nothing at this address."}"#;
    a.net
        .plan_pulls([Fault::None, Fault::AnswerInstead(404, missing.to_vec())]);
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(diagnosis.server_error.as_deref(), Some("no_comparison"));
    Ok(())
}

/// Of many rows exactly the damaged ones are named, a page or a batch at a time.
async fn among_many_rows_the_damaged_ones_are_found(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql(
        "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 2500)
         INSERT INTO watch_history (profile_id, meta_id, meta_type, position)
         SELECT 1, 'tt' || n, 'movie', n FROM n",
    )
    .await?;
    scene.settled(&[&a, &b]).await?;
    damage::here(
        &a,
        "UPDATE watch_history SET position = -1 WHERE id IN (7, 1999)",
    )
    .await?;
    damage::here(&a, "DELETE FROM watch_history WHERE id = 2400").await?;
    damage::there(
        &scene,
        "UPDATE watch_history SET title = 'damaged' WHERE meta_id = 'tt1200'",
    )
    .await?;
    damage::there(&scene, "DELETE FROM watch_history WHERE meta_id = 'tt1300'").await?;
    let expected = [
        "differs watch_history 1200 title",
        "differs watch_history 1999 progress",
        "differs watch_history 7 progress",
        "missing_here watch_history -",
        "missing_there watch_history 1300",
    ];
    let lines = |diagnosis: &Diagnosis| {
        let mut lines = told(diagnosis);
        lines.sort();
        lines
    };
    assert_eq!(lines(&doctor(&a, false).await?), expected);
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(lines(&diagnosis), expected);
    assert!(diagnosis.is_sound(), "{diagnosis:?}");
    assert!(doctor(&b, true).await?.is_sound());
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        a.one("SELECT count(*) FROM watch_history WHERE deleted_at IS NULL")
            .await?,
        "2500"
    );
    Ok(())
}

/// All of it is wrong: still every row is mended.
async fn a_table_that_is_all_wrong_is_mended(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql(
        "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 1200)
         INSERT INTO watch_history (profile_id, meta_id, meta_type, position)
         SELECT 1, 'tt' || n, 'movie', n FROM n",
    )
    .await?;
    scene.settled(&[&a, &b]).await?;
    damage::here(&a, "DELETE FROM watch_history").await?;
    let diagnosis = doctor(&a, true).await?;
    assert_eq!((diagnosis.n_findings, diagnosis.n_mended), (1_200, 1_200));
    assert!(
        diagnosis
            .findings
            .iter()
            .all(|finding| finding.kind == FindingKind::MissingHere)
    );
    scene.settled(&[&a, &b]).await
}

/// A profile with two lists of one item each, on two devices.
pub(super) async fn world(db: TestDb) -> Result<(Scene, SceneDevice, SceneDevice)> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    for name in ["One", "Two"] {
        let list = a.add_list(profile, name).await?;
        a.add_item(list, "tt1").await?;
    }
    scene.settled(&[&a, &b]).await?;
    Ok((scene, a, b))
}

on_both_backends!(
    where_all_is_well_nothing_is_found_and_nothing_written,
    a_device_that_is_new_or_empty_is_sound,
    a_feed_that_moves_is_pulled_and_compared_again,
    an_account_that_never_rests_is_told_from_a_sound_one,
    without_a_server_the_database_alone_is_looked_at,
    a_server_of_an_older_program_is_told,
    among_many_rows_the_damaged_ones_are_found,
    a_table_that_is_all_wrong_is_mended,
);
