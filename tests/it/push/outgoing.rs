//! Local changes reach the server once, and are then settled.

use anyhow::Result;
use sync_tests::{Scene, TestDb, on_both_backends};

async fn pu01_nothing_to_push_sends_no_push(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Favorites").await?;
    a.sync().await?;
    a.net.forget();
    a.watch_writes().await?;

    let report = a.sync().await?;

    assert!(a.net.pushes().is_empty());
    assert_eq!(a.net.pulls().len(), 1);
    assert_eq!(a.writes().await?, Vec::<String>::new());
    assert_eq!((report.n_pushed, report.n_pulled), (0, 0));
    Ok(())
}

async fn pu02_new_rows_get_names_and_keep_their_ids(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.sql("INSERT INTO settings_profiles (id, user_id, name) VALUES (11, 'u1', 'Common')")
        .await?;
    a.sql("INSERT INTO profiles (id, user_id, name, avatar, settings_profile_id) VALUES (7, 'u1', 'Kids', 'x', 11)")
        .await?;
    a.push().await?;

    let profile = a
        .one("SELECT remote_id FROM profiles WHERE id = 7 AND NOT dirty")
        .await?;
    let settings = a
        .one("SELECT remote_id FROM settings_profiles WHERE id = 11 AND NOT dirty")
        .await?;
    assert_ne!(profile, settings);
    assert_eq!(scene.one("SELECT remote_id FROM profiles").await?, profile);
    assert_eq!(
        scene.one("SELECT remote_id FROM settings_profiles").await?,
        settings
    );
    assert_eq!(a.dirty().await?, Vec::<String>::new());
    let b = scene.device().await?;
    scene.settled(&[&a, &b]).await
}

async fn pu03_creates_updates_and_deletes_go_out_together(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let (kept, dropped) = (
        a.add_list(profile, "Kept").await?,
        a.add_list(profile, "Dropped").await?,
    );
    a.add_item(kept, "tt1").await?;
    scene.settled(&[&a, &b]).await?;

    a.net.forget();
    let added = a.add_list(profile, "Added").await?;
    a.add_item(added, "tt2").await?;
    a.sql("UPDATE lists SET name = 'Renamed' WHERE name = 'Kept'")
        .await?;
    a.sql(&format!(
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = {dropped}"
    ))
    .await?;
    a.sql("DELETE FROM list_items WHERE meta_id = 'tt1'")
        .await?;
    a.sync().await?;

    assert_eq!(a.net.pushes().len(), 1);
    scene.settled(&[&a, &b]).await?;
    let names = b
        .rows("SELECT name FROM lists WHERE deleted_at IS NULL ORDER BY name")
        .await?;
    assert_eq!(names, ["Added", "Renamed"]);
    assert_eq!(
        b.rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        ["tt2"]
    );
    Ok(())
}

async fn pu04_edits_of_known_rows_are_settled_and_send_what_changed(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Favorites").await?;
    scene.settled(&[&a, &b]).await?;

    a.net.forget();
    a.sql("UPDATE profiles SET name = 'Children'").await?;
    a.sql("UPDATE lists SET name = 'Best'").await?;
    a.sync().await?;

    assert_eq!(a.dirty().await?, Vec::<String>::new());
    let push = &a.net.pushes()[0];
    let row = &push["tables"][0]["rows"][0]["row"];
    assert_eq!(
        row.as_object()
            .map(|row| row.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["name".to_owned()])
    );
    scene.settled(&[&a, &b]).await
}

async fn pu07_two_edits_of_a_row_are_one_update(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("Kids").await?;
    a.sync().await?;
    let head = scene.head().await?;
    a.net.forget();

    a.sql("UPDATE profiles SET name = 'Once'").await?;
    a.sql("UPDATE profiles SET name = 'Twice'").await?;
    a.sync().await?;

    assert_eq!(a.net.pushes().len(), 1);
    assert_eq!(scene.head().await?, head + 1);
    assert_eq!(scene.one("SELECT name FROM profiles").await?, "Twice");
    Ok(())
}

async fn pu08_an_edit_travels_inside_the_tombstone(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.add_item(list, "tt1").await?;
    scene.settled(&[&a, &b]).await?;
    let head = scene.head().await?;

    a.sql("UPDATE list_items SET title = 'Edited'").await?;
    a.sql("UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    a.sync().await?;

    assert_eq!(scene.head().await?, head + 1);
    assert_eq!(
        scene
            .one("SELECT title FROM list_items WHERE deleted_at IS NOT NULL")
            .await?,
        "Edited"
    );
    b.sync().await?;
    b.sql("UPDATE list_items SET deleted_at = NULL").await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.one("SELECT title FROM list_items WHERE deleted_at IS NULL")
            .await?,
        "Edited"
    );
    Ok(())
}

async fn pu09_deleted_and_added_again_is_an_update(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.add_item(list, "tt1").await?;
    scene.settled(&[&a, &b]).await?;
    let name = a.one("SELECT remote_id FROM list_items").await?;

    a.sql("UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    a.sql("UPDATE list_items SET deleted_at = NULL, title = 'Again'")
        .await?;
    scene.settled(&[&a, &b]).await?;

    assert_eq!(
        b.one("SELECT remote_id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        name
    );
    assert_eq!(b.one("SELECT title FROM list_items").await?, "Again");
    Ok(())
}

/// Gone for good and made anew under the same name: another row, and the old one's children are not its own.
async fn pu09_a_key_is_free_again_once_its_row_is_deleted(db: TestDb) -> Result<()> {
    for delete in [
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP",
        "DELETE FROM lists",
    ] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (a, b) = scene.pair().await?;
        let profile = a.add_profile("Kids").await?;
        let list = a.add_list(profile, "Favorites").await?;
        a.add_item(list, "tt1").await?;
        scene.settled(&[&a, &b]).await?;
        let name = a.one("SELECT remote_id FROM lists").await?;
        a.sql(delete).await?;
        let list = a.add_list(profile, "Favorites").await?;
        a.add_item(list, "tt2").await?;
        scene.settled(&[&a, &b]).await?;
        assert_ne!(
            b.one("SELECT remote_id FROM lists WHERE deleted_at IS NULL")
                .await?,
            name,
            "{delete}"
        );
        assert_eq!(
            b.rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL")
                .await?,
            ["tt2"],
            "{delete}"
        );
    }
    Ok(())
}

/// Each name is free only once the other row has given it up.
async fn pu07_names_that_were_swapped_arrive_swapped(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    for (name, title) in [("One", "tt1"), ("Two", "tt2"), ("Three", "tt3")] {
        let list = a.add_list(profile, name).await?;
        a.add_item(list, title).await?;
    }
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE lists SET name = 'Zero' WHERE name = 'One'")
        .await?;
    for (from, to) in [("Two", "One"), ("Three", "Two"), ("Zero", "Three")] {
        a.sql(&format!(
            "UPDATE lists SET name = '{to}' WHERE name = '{from}'"
        ))
        .await?;
    }
    scene.settled(&[&a, &b]).await?;
    let lists = b.rows("SELECT l.name, i.meta_id FROM lists l JOIN list_items i ON i.list_id = l.id ORDER BY 2").await?;
    assert_eq!(lists, ["Three|tt1", "One|tt2", "Two|tt3"]);
    Ok(())
}

/// A server that takes less at once than the device would send.
async fn pu16_a_server_with_smaller_limits_gets_smaller_pushes(db: TestDb) -> Result<()> {
    let mut scene = Scene::new(db).await?;
    let limits = sync_core::protocol::Limits {
        push_rows: 2,
        page_rows: 2,
        ..Default::default()
    };
    scene.server.engine = scene.server.engine.clone().with_limits(limits);
    let (a, b) = scene.pair().await?;
    for number in 0..7 {
        a.add_profile(&format!("Kids {number}")).await?;
    }
    scene.settled(&[&a, &b]).await
}

async fn pu14_equal_ids_of_two_tables_are_not_mixed(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    assert_eq!(a.add_profile("Kids").await?, 1);
    assert_eq!(a.add_list(1, "Favorites").await?, 1);
    assert_eq!(a.add_item(1, "tt1").await?, 1);
    a.push().await?;
    for table in ["profiles", "lists", "list_items"] {
        let here = a
            .one(&format!("SELECT remote_id FROM {table} WHERE id = 1"))
            .await?;
        assert_eq!(
            scene.one(&format!("SELECT remote_id FROM {table}")).await?,
            here
        );
    }

    a.sql("UPDATE lists SET name = 'Best' WHERE id = 1").await?;
    assert_eq!(a.pending().await?, ["lists 1 name"]);
    a.push().await?;

    assert_eq!(a.pending().await?, Vec::<String>::new());
    scene.settled(&[&a, &b]).await
}

async fn pu15_an_equal_value_is_no_change(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    for device in [&a, &b] {
        device.sql("UPDATE profiles SET name = 'Children'").await?;
    }
    a.sync().await?;
    let head = scene.head().await?;
    a.watch_writes().await?;

    b.sync().await?;
    let report = a.sync().await?;

    assert_eq!(scene.head().await?, head);
    assert_eq!(report.n_pulled, 0);
    assert_eq!(a.writes().await?, Vec::<String>::new());
    scene.settled(&[&a, &b]).await
}

async fn pu16_a_push_in_many_batches_is_whole_and_settled(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (mut a, b) = scene.pair().await?;
    a.limit_rows(3, 1_000);
    let profile = a.add_profile("Kids").await?;
    for number in 0..4 {
        let list = a.add_list(profile, &format!("List {number}")).await?;
        a.add_item(list, "tt1").await?;
    }
    a.sql("DELETE FROM list_items WHERE list_id = 4").await?;
    a.sync().await?;
    assert_eq!(a.net.pushes().len(), 3, "8 rows, 3 in a batch");
    scene.settled(&[&a, &b]).await
}

on_both_backends!(
    pu01_nothing_to_push_sends_no_push,
    pu02_new_rows_get_names_and_keep_their_ids,
    pu03_creates_updates_and_deletes_go_out_together,
    pu04_edits_of_known_rows_are_settled_and_send_what_changed,
    pu07_two_edits_of_a_row_are_one_update,
    pu08_an_edit_travels_inside_the_tombstone,
    pu07_names_that_were_swapped_arrive_swapped,
    pu09_deleted_and_added_again_is_an_update,
    pu09_a_key_is_free_again_once_its_row_is_deleted,
    pu14_equal_ids_of_two_tables_are_not_mixed,
    pu15_an_equal_value_is_no_change,
    pu16_a_push_in_many_batches_is_whole_and_settled,
);

on_both_backends!(pu16_a_server_with_smaller_limits_gets_smaller_pushes);
