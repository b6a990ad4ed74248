//! Edits between a push and its answer are neither lost nor taken for pushed.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

async fn if01_the_same_field_stays_pending_with_its_new_value(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Zero").await?;
    scene.settled(&[&a, &b]).await?;
    for when in [Fault::Before, Fault::After] {
        a.sql("UPDATE profiles SET name = 'One'").await?;
        a.net
            .on_push(when(edit(&a, "UPDATE profiles SET name = 'Two'")));
        a.push().await?;
        assert_eq!(a.one("SELECT name, dirty FROM profiles").await?, "Two|1");
        assert_eq!(a.pending().await?, ["profiles 1 name"]);
        assert_eq!(scene.one("SELECT name FROM profiles").await?, "One");
        scene.settled(&[&a, &b]).await?;
        assert_eq!(b.one("SELECT name FROM profiles").await?, "Two");
    }
    Ok(())
}

/// A whole sync sends it at once.
async fn if01_a_sync_pushes_it_before_it_ends(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("One").await?;
    a.net
        .on_push(a.meanwhile("UPDATE profiles SET name = 'Two'"));
    a.sync().await?;
    a.check().await?;
    assert_eq!(scene.one("SELECT name FROM profiles").await?, "Two");
    Ok(())
}

async fn if02_another_field_is_all_that_stays_pending(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("One").await?;
    for _new_then_known in 0..2 {
        a.sql("UPDATE profiles SET name = name || '!'").await?;
        a.net
            .on_push(a.meanwhile("UPDATE profiles SET avatar = avatar || 'y'"));
        a.push().await?;
        assert_eq!(a.pending().await?, ["profiles 1 avatar"]);
        assert_eq!(a.dirty().await?, ["profiles 1"]);
        scene.settled(&[&a, &b]).await?;
    }
    assert_eq!(
        b.one("SELECT name, avatar FROM profiles").await?,
        "One!!|xyy"
    );
    Ok(())
}

async fn if03_a_row_deleted_meanwhile_is_deleted_everywhere(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    for delete in [
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP",
        "DELETE FROM lists",
        "DELETE FROM profiles",
    ] {
        for known in [false, true] {
            let profile = a.add_profile("Kids").await?;
            let list = a.add_list(profile, "Favorites").await?;
            if known {
                a.sync().await?;
                b.sync().await?;
                a.sql("UPDATE lists SET name = 'Best' WHERE deleted_at IS NULL")
                    .await?;
            }
            a.add_item(list, "tt1").await?;
            a.net.on_push(a.meanwhile(delete));
            a.push().await?;
            b.sync().await?;
            scene.settled(&[&a, &b]).await?;
            for device in [&a, &b] {
                let live = device
                    .rows("SELECT id FROM lists WHERE deleted_at IS NULL")
                    .await?;
                assert_eq!(live, Vec::<String>::new(), "{delete}, known: {known}");
            }
        }
    }
    Ok(())
}

/// A hard delete made while the answer is on its way goes out in the same sync.
async fn if03_a_sync_pushes_the_delete_before_it_ends(db: TestDb) -> Result<()> {
    for delete in [
        "UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP",
        "DELETE FROM profiles",
    ] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let a = scene.device().await?;
        a.add_profile("Kids").await?;
        a.net.on_push(a.meanwhile(delete));
        a.sync().await?;
        let live = scene
            .rows("SELECT id FROM profiles WHERE deleted_at IS NULL")
            .await?;
        assert_eq!(live, Vec::<String>::new(), "{delete}");
        a.check().await?;
    }
    Ok(())
}

async fn if04_a_row_created_meanwhile_is_dirty_and_goes_next(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "One").await?;
    a.net
        .on_push(a.meanwhile("INSERT INTO lists (profile_id, name) VALUES (1, 'Two')"));
    a.push().await?;
    assert_eq!(a.dirty().await?, ["lists 2"]);
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT name FROM lists ORDER BY 1").await?,
        ["One", "Two"]
    );
    Ok(())
}

async fn if05_an_edit_during_the_pull_is_pushed_by_the_same_sync(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    b.sql("UPDATE profiles SET avatar = 'b'").await?;
    b.sync().await?;
    for when in [Fault::Before, Fault::After] {
        a.net
            .on_pull(when(edit(&a, "UPDATE profiles SET name = name || '!'")));
        a.sync().await?;
        a.check().await?;
        assert_eq!(
            scene.one("SELECT name FROM profiles").await?,
            a.one("SELECT name FROM profiles").await?
        );
    }
    assert_eq!(
        a.one("SELECT name, avatar FROM profiles").await?,
        "Kids!!|b"
    );
    scene.settled(&[&a, &b]).await
}

/// The value went out and came back here: the server has to hear of that too.
async fn if06_an_edit_undone_meanwhile_is_undone_there(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Zero").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE profiles SET name = 'One'").await?;
    a.net
        .on_push(a.meanwhile("UPDATE profiles SET name = 'Zero'"));
    a.push().await?;
    assert_eq!(a.pending().await?, ["profiles 1 name"]);
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.one("SELECT name FROM profiles").await?, "Zero");
    Ok(())
}

/// There and back again while the answer is on its way: the value is the one that was sent.
async fn if06_an_edit_made_twice_meanwhile_ends_as_it_was_sent(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Zero").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE profiles SET name = 'One'").await?;
    a.net
        .on_push(a.meanwhile("UPDATE profiles SET name = 'Two'; UPDATE profiles SET name = 'One'"));
    a.push().await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.one("SELECT name FROM profiles").await?, "One");
    Ok(())
}

/// The answer brings another's value for the field that is edited meanwhile.
async fn if09_a_merged_answer_does_not_overrule_a_newer_edit(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Zero").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE profiles SET name = 'From A', avatar = 'a'")
        .await?;
    b.sql("UPDATE profiles SET name = 'From B', avatar = 'b'")
        .await?;
    b.sync().await?;
    a.net
        .on_push(a.meanwhile("UPDATE profiles SET name = 'From A, later'"));
    a.push().await?;
    assert_eq!(
        a.one("SELECT name, avatar FROM profiles").await?,
        "From A, later|b"
    );
    assert_eq!(a.pending().await?, ["profiles 1 name"]);
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.one("SELECT name, avatar FROM profiles").await?,
        "From A, later|b"
    );
    Ok(())
}

/// An app that writes by replacing the row it has.
async fn if09_a_row_replaced_meanwhile_is_there_once(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    a.add_list(1, "Favorites").await?;
    a.net.on_push(a.meanwhile("INSERT OR REPLACE INTO lists (id, profile_id, name, is_default) VALUES (1, 1, 'Favorites', 1)"));
    a.push().await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT name, is_default FROM lists WHERE deleted_at IS NULL")
            .await?,
        ["Favorites|1"]
    );
    Ok(())
}

fn edit(device: &SceneDevice, sql: &'static str) -> sync_tests::faulty::Act {
    let db = device.device.device.db().clone();
    Box::new(move || {
        Box::pin(async move {
            db.execute_unprepared(sql).await?;
            Ok(())
        })
    })
}

on_both_backends!(
    if01_the_same_field_stays_pending_with_its_new_value,
    if01_a_sync_pushes_it_before_it_ends,
    if02_another_field_is_all_that_stays_pending,
    if03_a_row_deleted_meanwhile_is_deleted_everywhere,
    if03_a_sync_pushes_the_delete_before_it_ends,
    if04_a_row_created_meanwhile_is_dirty_and_goes_next,
    if05_an_edit_during_the_pull_is_pushed_by_the_same_sync,
    if06_an_edit_undone_meanwhile_is_undone_there,
    if06_an_edit_made_twice_meanwhile_ends_as_it_was_sent,
    if09_a_merged_answer_does_not_overrule_a_newer_edit,
    if09_a_row_replaced_meanwhile_is_there_once,
);
