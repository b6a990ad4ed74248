//! Damage on the device, by writes that no trigger saw.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::{
    damage::{self, doctor, told},
    doctor::world,
    name_of,
};

async fn rows_that_differ_are_named_and_mended(db: TestDb) -> Result<()> {
    for (sql, expected) in [
        (
            "UPDATE lists SET name = 'damaged' WHERE id = 1",
            "differs lists 1 name",
        ),
        (
            "UPDATE lists SET name = 'Two' || char(0) WHERE id = 2",
            "differs lists 2 name",
        ),
        (
            "UPDATE list_items SET list_id = 2, meta_id = 'tt9', imdb_rating = 7 WHERE id = 1",
            "differs list_items 1 list_id,meta_id,imdb_rating",
        ),
        (
            "UPDATE profiles SET created_at = '1999-01-01 00:00:00'",
            "differs profiles 1 created_at",
        ),
        (
            "DELETE FROM list_items WHERE id = 2",
            "missing_here list_items -",
        ),
        (
            "UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE id = 2",
            "missing_here list_items 2",
        ),
        (
            "UPDATE list_items SET remote_id = '0190a6e0-0000-7000-8000-0000000000ff' WHERE id = 1",
            "missing_here list_items -;missing_there list_items 1",
        ),
    ] {
        let (scene, a, b) = world(TestDb::new(db.backend()).await?).await?;
        damage::here(&a, sql).await?;
        let damaged = a.everything().await?;
        let checked = doctor(&a, false).await?;
        assert_eq!(told(&checked).join(";"), expected, "{sql}");
        assert!(!checked.is_sound());
        assert_eq!(
            a.everything().await?,
            damaged,
            "{sql}: --check writes nothing"
        );
        let diagnosis = doctor(&a, true).await?;
        assert_eq!(told(&diagnosis).join(";"), expected, "{sql}");
        assert!(diagnosis.is_sound(), "{sql}: {diagnosis:?}");
        scene.settled(&[&a, &b]).await?;
        assert_eq!(
            b.rows("SELECT name FROM lists ORDER BY name").await?,
            ["One", "Two"],
            "{sql}"
        );
        assert_eq!(doctor(&a, false).await?.n_findings, 0, "{sql}");
    }
    Ok(())
}

async fn a_whole_family_that_vanished_comes_back(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    damage::here(&a, "DELETE FROM profiles").await?;
    assert_eq!(a.one("SELECT count(*) FROM list_items").await?, "0");
    let diagnosis = doctor(&a, true).await?;
    assert_eq!((diagnosis.n_findings, diagnosis.n_mended), (5, 5));
    scene.settled(&[&a, &b]).await
}

/// The edit waits, because the server refuses it: the rest of the row is mended around it.
async fn a_pending_edit_is_no_damage_and_stays(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    scene.refuse_name("lists", "bad").await?;
    a.sql("UPDATE lists SET name = 'bad' WHERE id = 1").await?;
    a.sync().await?;
    assert!(
        doctor(&a, true).await?.is_sound(),
        "an edit that waits is no damage"
    );
    damage::here(
        &a,
        "UPDATE lists SET is_default = 1 WHERE id = 1; DELETE FROM list_items WHERE id = 2",
    )
    .await?;

    let diagnosis = doctor(&a, true).await?;

    assert_eq!(
        told(&diagnosis),
        ["differs lists 1 is_default", "missing_here list_items -"]
    );
    assert!(diagnosis.is_sound(), "{diagnosis:?}");
    assert_eq!(a.pending().await?, ["lists 1 name"]);
    assert_eq!(
        a.one("SELECT name || coalesce(is_default, 0) || dirty FROM lists WHERE id = 1")
            .await?,
        "bad01"
    );
    a.sql("UPDATE lists SET name = 'good' WHERE id = 1").await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT name FROM lists ORDER BY name").await?,
        ["Two", "good"]
    );
    Ok(())
}

/// An edit made while the doctor asks the server is as good as any.
async fn an_edit_made_meanwhile_stays(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    damage::here(
        &a,
        "UPDATE lists SET name = 'damaged', is_default = 1 WHERE id = 1",
    )
    .await?;
    let edit = || a.meanwhile("UPDATE lists SET name = 'Edited' WHERE id = 1");
    // The pull, the sums, the rows of the ranges, the rows by name.
    let none = || sync_tests::Fault::None;
    a.net.plan_pulls([none(), none(), none(), edit()]);
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(told(&diagnosis), ["differs lists 1 is_default"]);
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT name FROM lists ORDER BY name").await?,
        ["Edited", "Two"]
    );
    Ok(())
}

/// What an app has stamped later than the server's form is an edit that nobody noticed: it is sent.
async fn a_later_edit_that_nobody_captured_is_sent(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    damage::here(&a, "UPDATE lists SET name = 'Later', updated_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '+1 second') WHERE id = 1").await?;
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(told(&diagnosis), ["differs lists 1 name"]);
    assert!(diagnosis.is_sound(), "{diagnosis:?}");
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT name FROM lists ORDER BY name").await?,
        ["Later", "Two"]
    );
    Ok(())
}

/// What gives way is not lost without a trace.
async fn the_value_that_gives_way_is_kept_in_the_log(db: TestDb) -> Result<()> {
    let (_scene, a, _b) = world(db).await?;
    damage::here(&a, "UPDATE lists SET name = 'damaged' WHERE id = 1").await?;
    doctor(&a, true).await?;
    let name = name_of(&a, "lists", 1).await?;
    let sql =
        format!("SELECT register || local || remote FROM sync_conflict WHERE remote_id = '{name}'");
    assert_eq!(a.one(&sql).await?, r#"name["damaged"]["One"]"#);
    Ok(())
}

async fn rows_and_pending_changes_that_contradict_each_other_are_put_right(
    db: TestDb,
) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    scene.refuse_name("lists", "bad").await?;
    a.sql("UPDATE lists SET name = 'bad' WHERE id = 1").await?;
    a.sync().await?;
    damage::here(&a, "UPDATE lists SET dirty = 0 WHERE id = 1; UPDATE lists SET dirty = 1, name = 'Dirty' WHERE id = 2").await?;
    damage::here(
        &a,
        "INSERT INTO lists (profile_id, name) VALUES (1, 'Unsent')",
    )
    .await?;
    let expected = [
        "dirty_flag lists 1",
        "missed_edit lists 2",
        "never_sent lists 3",
    ];
    let checked = a.device.device.doctor(None, false, &|_| {}).await?;
    assert_eq!(told(&checked), expected);

    let diagnosis = doctor(&a, true).await?;

    assert_eq!(told(&diagnosis), expected);
    assert!(diagnosis.is_sound(), "{diagnosis:?}");
    assert_eq!(a.dirty().await?, ["lists 1"]);
    a.sql("UPDATE lists SET name = 'good' WHERE id = 1").await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.one("SELECT count(*) FROM lists").await?, "3");
    Ok(())
}

async fn altered_triggers_are_put_back(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql("DROP TRIGGER sync_lists_update; UPDATE lists SET name = 'unnoticed' WHERE id = 1")
        .await?;
    let checked = doctor(&a, false).await?;
    assert_eq!(
        told(&checked),
        ["capture_altered lists -", "differs lists 1 name"]
    );
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(
        told(&diagnosis),
        ["capture_altered lists -", "differs lists 1 name"]
    );
    assert!(diagnosis.is_sound(), "{diagnosis:?}");
    a.sql("UPDATE lists SET name = 'noticed' WHERE id = 1")
        .await?;
    assert_eq!(a.pending().await?, ["lists 1 name"]);
    scene.settled(&[&a, &b]).await
}

async fn what_cannot_be_mended_is_told_with_its_reason(db: TestDb) -> Result<()> {
    let (_scene, a, _b) = world(db).await?;
    damage::here(&a, "DELETE FROM list_items WHERE id = 1").await?;
    a.sql("CREATE TRIGGER refuse BEFORE INSERT ON list_items BEGIN SELECT RAISE(ABORT, 'no more items'); END").await?;
    damage::here(
        &a,
        "UPDATE list_items SET imdb_rating = 'much' WHERE id = 2",
    )
    .await?;
    let diagnosis = doctor(&a, true).await?;
    assert_eq!(
        told(&diagnosis),
        [
            "missing_here list_items -",
            "unreadable list_items 2 imdb_rating"
        ]
    );
    assert_eq!((diagnosis.n_findings, diagnosis.n_mended), (2, 0));
    let reasons: Vec<&str> = diagnosis
        .findings
        .iter()
        .filter_map(|f| f.message.as_deref())
        .collect();
    assert!(
        reasons.len() == 2 && reasons[0].contains("no more items"),
        "{reasons:?}"
    );
    Ok(())
}

async fn a_reference_that_leads_nowhere_is_told(db: TestDb) -> Result<()> {
    let (_scene, a, _b) = world(db).await?;
    a.sql("PRAGMA foreign_keys = OFF").await?;
    damage::here(&a, "INSERT INTO list_items (list_id, meta_id, type, deleted_at) VALUES (99, 'x', 'movie', CURRENT_TIMESTAMP)").await?;
    a.sql("PRAGMA foreign_keys = ON").await?;
    let diagnosis = a.device.device.doctor(None, true, &|_| {}).await?;
    assert_eq!(told(&diagnosis), ["broken_reference list_items 3"]);
    assert!(!diagnosis.is_sound());
    Ok(())
}

on_both_backends!(
    rows_that_differ_are_named_and_mended,
    a_whole_family_that_vanished_comes_back,
    a_pending_edit_is_no_damage_and_stays,
    an_edit_made_meanwhile_stays,
    a_later_edit_that_nobody_captured_is_sent,
    the_value_that_gives_way_is_kept_in_the_log,
    rows_and_pending_changes_that_contradict_each_other_are_put_right,
    altered_triggers_are_put_back,
    what_cannot_be_mended_is_told_with_its_reason,
    a_reference_that_leads_nowhere_is_told,
);
