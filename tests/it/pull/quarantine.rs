//! A row that cannot be written here is set aside, and comes in when it can.

use anyhow::Result;
use serde_json::{Value, json};
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

/// A rule that only this device's database has.
const REFUSE: &str = "CREATE TRIGGER refuse BEFORE INSERT ON lists WHEN NEW.name = 'bad'
    BEGIN SELECT RAISE(ABORT, 'bad is not allowed here'); END";
const REFUSE_UPDATES: &str =
    "CREATE TRIGGER refuse_update BEFORE UPDATE ON lists WHEN NEW.name = 'bad'
    BEGIN SELECT RAISE(ABORT, 'bad is not allowed here'); END";
const ALLOW: &str = "DROP TRIGGER IF EXISTS refuse";

async fn pl08_a_row_that_breaks_a_local_rule_is_set_aside(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    three_lists(&a).await?;
    b.sql(REFUSE).await?;

    let report = b.sync().await?;

    assert_eq!((report.n_pulled, report.n_quarantined), (3, 1));
    assert_eq!(
        b.rows("SELECT name FROM lists ORDER BY name").await?,
        ["One", "Two"]
    );
    let status = b.status().await?;
    assert_eq!(status.quarantined.len(), 1);
    assert_eq!(status.quarantined[0].table, "lists");
    assert!(
        status.quarantined[0].reason.contains("not allowed here"),
        "{status:?}"
    );
    let raw: Value = serde_json::from_str(&b.one("SELECT raw FROM sync_quarantine").await?)?;
    assert_eq!(raw["row"]["name"], "bad");
    b.check().await
}

async fn pl08_a_row_of_another_type_is_set_aside_as_it_came(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    three_lists(&a).await?;
    let strange: [fn(&mut Value); 4] = [
        |row| row["row"]["name"] = json!({"de": "Liste"}),
        |row| row["row"]["name"] = Value::Null,
        |row| row["row"]["created_at"] = json!("yesterday"),
        |row| *row = json!({"remote_id": row["remote_id"], "rows": 1}),
    ];
    for (number, change) in strange.into_iter().enumerate() {
        let b = scene.device().await?;
        b.net.on_pull(Fault::change_answer(move |page| {
            change(&mut page["tables"][1]["rows"][1])
        }));
        let report = b.sync().await?;
        assert_eq!((report.n_pulled, report.n_quarantined), (3, 1), "{number}");
        assert_eq!(
            b.rows("SELECT name FROM lists ORDER BY name").await?,
            ["One", "Two"],
            "{number}"
        );
        let raw: Value = serde_json::from_str(&b.one("SELECT raw FROM sync_quarantine").await?)?;
        assert_eq!(
            raw["remote_id"],
            a.one("SELECT remote_id FROM lists WHERE name = 'bad'")
                .await?,
            "{number}"
        );
    }
    scene.settled(&[&a, &b]).await
}

/// Its children have nothing to belong to as long.
async fn pl09_what_was_set_aside_comes_in_with_its_children(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    three_lists(&a).await?;
    for list in 1..=3 {
        a.add_item(list, "tt1").await?;
    }
    a.sync().await?;
    b.sql(REFUSE).await?;
    b.sync().await?;
    assert_eq!(b.status().await?.quarantined.len(), 2);
    b.check().await?;

    b.sql(ALLOW).await?;
    b.sync().await?;

    assert_eq!(b.status().await?.quarantined, []);
    scene.settled(&[&a, &b]).await
}

/// What was set aside is older than what came since.
async fn pl09_a_newer_form_of_the_row_stands(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    three_lists(&a).await?;
    b.sql(REFUSE).await?;
    b.sync().await?;

    a.sql("UPDATE lists SET name = 'Good' WHERE name = 'bad'")
        .await?;
    a.sync().await?;
    b.sync().await?;
    assert_eq!(b.status().await?.quarantined, []);
    b.sql(ALLOW).await?;

    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT name FROM lists ORDER BY name").await?,
        ["Good", "One", "Two"]
    );
    Ok(())
}

async fn pl09_a_row_deleted_meanwhile_does_not_come_in(db: TestDb) -> Result<()> {
    for delete in [
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'bad'",
        "DELETE FROM lists WHERE name = 'bad'",
    ] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (a, b) = scene.pair().await?;
        three_lists(&a).await?;
        b.sql(REFUSE).await?;
        b.sync().await?;
        a.sql(delete).await?;
        a.sync().await?;
        b.sync().await?;
        assert_eq!(b.status().await?.quarantined, [], "{delete}");
        b.sql(ALLOW).await?;
        scene.settled(&[&a, &b]).await?;
    }
    Ok(())
}

/// A known row whose update is refused keeps its old form until then.
async fn pl09_a_refused_update_comes_in_later(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Good").await?;
    scene.settled(&[&a, &b]).await?;
    b.sql(REFUSE).await?;
    b.sql(REFUSE_UPDATES).await?;
    a.sql("UPDATE lists SET name = 'bad'").await?;
    a.sync().await?;
    b.sync().await?;
    assert_eq!(b.one("SELECT name FROM lists").await?, "Good");
    assert_eq!(b.status().await?.quarantined.len(), 1);

    b.sql(ALLOW).await?;
    b.sql("DROP TRIGGER refuse_update").await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.one("SELECT name FROM lists").await?, "bad");
    Ok(())
}

/// What the user did to the old form meanwhile is an edit like any other.
async fn pl09_an_edit_of_the_old_form_is_not_lost(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Good").await?;
    scene.settled(&[&a, &b]).await?;
    b.sql(REFUSE).await?;
    b.sql(REFUSE_UPDATES).await?;
    a.sql("UPDATE lists SET name = 'bad'").await?;
    a.sync().await?;
    b.sync().await?;

    b.sql("UPDATE lists SET name = 'Better'").await?;

    scene.settled(&[&b, &a]).await?;
    assert_eq!(a.one("SELECT name FROM lists").await?, "Better");
    assert_eq!(b.status().await?.quarantined, []);
    Ok(())
}

/// A row that this program cannot read is no reason to keep the others out.
async fn pl08_an_unreadable_row_here_does_not_stop_the_page(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    for title in ["tt1", "tt2", "tt3"] {
        a.sql(&format!(
            "INSERT INTO watch_history (profile_id, meta_id, meta_type, position) VALUES ({profile}, '{title}', 'movie', 1)"
        ))
        .await?;
    }
    scene.settled(&[&a, &b]).await?;
    // SQLite lets another program write this.
    b.sql("UPDATE watch_history SET position = 'abc' WHERE meta_id = 'tt2'")
        .await?;
    b.sync().await?;
    let rejected = b.status().await?.rejected;
    assert_eq!(
        (rejected.len(), rejected[0].code.as_str()),
        (1, "unreadable"),
        "{rejected:?}"
    );

    a.sql("UPDATE watch_history SET position = 2").await?;
    a.sync().await?;
    b.sync().await?;

    let positions = b
        .rows("SELECT position FROM watch_history WHERE meta_id <> 'tt2'")
        .await?;
    assert_eq!(positions, ["2", "2"]);
    b.sql("UPDATE watch_history SET position = 3 WHERE meta_id = 'tt2'")
        .await?;
    scene.settled(&[&b, &a]).await
}

/// One profile with the lists One, bad and Two, synced.
async fn three_lists(device: &SceneDevice) -> Result<()> {
    let profile = device.add_profile("Kids").await?;
    for name in ["One", "bad", "Two"] {
        device.add_list(profile, name).await?;
    }
    device.sync().await?;
    Ok(())
}

on_both_backends!(
    pl08_a_row_that_breaks_a_local_rule_is_set_aside,
    pl08_a_row_of_another_type_is_set_aside_as_it_came,
    pl09_what_was_set_aside_comes_in_with_its_children,
    pl09_a_newer_form_of_the_row_stands,
    pl09_a_row_deleted_meanwhile_does_not_come_in,
    pl09_a_refused_update_comes_in_later,
);

on_both_backends!(pl08_an_unreadable_row_here_does_not_stop_the_page);

on_both_backends!(pl09_an_edit_of_the_old_form_is_not_lost);
