//! A page and its cursor are written together, and are no edits of this device.

use anyhow::Result;
use serde_json::json;
use sync_tests::{Fault, Scene, TestDb, on_both_backends};

async fn pl01_a_fresh_device_gets_the_live_rows(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    let profile = a.add_profile("Kids").await?;
    let (kept, dropped) = (
        a.add_list(profile, "Kept").await?,
        a.add_list(profile, "Dropped").await?,
    );
    a.add_item(kept, "tt1").await?;
    a.add_item(dropped, "tt2").await?;
    a.add_profile("Gone").await?;
    a.sync().await?;
    a.sql(&format!(
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = {dropped}"
    ))
    .await?;
    a.sql("DELETE FROM profiles WHERE name = 'Gone'").await?;
    a.sync().await?;

    let b = scene.device().await?;
    let report = b.sync().await?;

    assert_eq!((report.n_pulled, report.n_quarantined), (3, 0));
    for (table, names) in [("profiles", "Kids"), ("lists", "Kept")] {
        assert_eq!(b.rows(&format!("SELECT name FROM {table}")).await?, [names]);
    }
    assert_eq!(b.rows("SELECT meta_id FROM list_items").await?, ["tt1"]);
    scene.settled(&[&a, &b]).await
}

async fn pl02_nothing_new_writes_nothing(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Favorites").await?;
    scene.settled(&[&a, &b]).await?;
    let (before, cursor) = (b.everything().await?, b.cursor().await?);
    b.watch_writes().await?;
    for _ in 0..3 {
        let report = b.sync().await?;
        assert_eq!(report.n_pulled, 0);
    }
    assert_eq!((b.everything().await?, b.cursor().await?), (before, cursor));
    assert_eq!(b.writes().await?, Vec::<String>::new());
    Ok(())
}

async fn pl03_an_update_of_an_unknown_row_creates_it(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("First").await?;
    a.sync().await?;
    a.sql("UPDATE profiles SET avatar = 'y'").await?;
    a.sync().await?;
    b.sync().await?;
    assert_eq!(
        b.rows("SELECT name, avatar FROM profiles").await?,
        ["First|y"]
    );
    scene.settled(&[&a, &b]).await
}

async fn pl04_a_row_that_comes_again_is_not_doubled(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.add_item(list, "tt1").await?;
    scene.settled(&[&a, &b]).await?;
    let (before, cursor) = (b.everything().await?, b.cursor().await?);
    b.watch_writes().await?;

    b.sql("UPDATE sync_state SET cursor = NULL").await?;
    b.sync().await?;

    assert_eq!((b.everything().await?, b.cursor().await?), (before, cursor));
    assert_eq!(b.writes().await?, Vec::<String>::new());
    Ok(())
}

async fn pl05_a_tombstone_of_an_unknown_row_is_passed_over(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    let cursor = b.cursor().await?;
    b.watch_writes().await?;
    for delete in [
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP",
        "DELETE FROM lists",
    ] {
        let list = a.add_list(1, "Short-lived").await?;
        a.add_item(list, "tt1").await?;
        a.sync().await?;
        a.sql(delete).await?;
        a.sync().await?;
    }
    b.sync().await?;
    assert_eq!(b.writes().await?, Vec::<String>::new());
    assert_ne!(b.cursor().await?, cursor);
    scene.settled(&[&a, &b]).await
}

async fn pl06_a_tombstone_takes_the_row_and_what_is_under_it(db: TestDb) -> Result<()> {
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
        a.sql(delete).await?;
        a.sync().await?;
        b.sync().await?;
        for table in ["lists", "list_items"] {
            let live = b
                .rows(&format!("SELECT id FROM {table} WHERE deleted_at IS NULL"))
                .await?;
            assert_eq!(live, Vec::<String>::new(), "{delete}: {table}");
        }
        scene.settled(&[&a, &b]).await?;
    }
    Ok(())
}

/// The disk is full before the page is whole: nothing of it stays, and it comes again.
async fn pl07_a_page_is_written_whole_or_not_at_all(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    for number in 0..20 {
        a.add_list(profile, &format!("{number} {}", "long ".repeat(600)))
            .await?;
    }
    a.sync().await?;
    let (before, cursor) = (b.everything().await?, b.cursor().await?);
    let pages = b
        .one("SELECT page_count FROM pragma_page_count")
        .await?
        .parse::<u64>()?;
    let mut n_failed = 0;
    for room in 0..40 {
        b.sql(&format!("PRAGMA max_page_count = {}", pages + room))
            .await?;
        let Err(error) = b.sync().await else { break };
        n_failed += 1;
        assert_eq!(error.word(), "database", "{error} with room for {room}");
        assert_eq!(
            b.status().await?.quarantined,
            [],
            "a full disk is no fault of the row"
        );
        assert_eq!(
            (b.everything().await?, b.cursor().await?),
            (before.clone(), cursor.clone()),
            "{room}"
        );
    }
    assert!(n_failed > 5);
    b.sql("PRAGMA max_page_count = 1000000").await?;
    scene.settled(&[&a, &b]).await
}

async fn pl12_a_pulled_row_is_clean_and_keeps_its_time(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.sql("UPDATE sync_clock SET pinned_ms = 1700000000000")
        .await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Favorites").await?;
    scene.settled(&[&a, &b]).await?;
    for edit in [
        "SELECT 1",
        "UPDATE lists SET name = 'Best'",
        "UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP",
    ] {
        a.sql("UPDATE sync_clock SET pinned_ms = pinned_ms + 60000")
            .await?;
        a.sql(edit).await?;
        a.sync().await?;
        b.sync().await?;
        b.check().await?;
        for table in ["profiles", "lists"] {
            let sql = format!("SELECT strftime('%s', updated_at) FROM {table}");
            assert_eq!(
                b.one(&sql).await?,
                a.one(&sql).await?,
                "{table} after {edit}"
            );
        }
    }
    Ok(())
}

async fn pl17_a_failed_pull_leaves_what_was_pushed_settled(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    b.add_profile("Other").await?;
    b.sync().await?;
    a.add_profile("Kids").await?;
    let cursor = a.cursor().await?;
    a.net.on_pull(Fault::AnswerInstead(500, b"oops".to_vec()));

    assert!(a.sync().await.is_err());

    a.check().await?;
    assert_eq!(a.rows("SELECT name FROM profiles").await?, ["Kids"]);
    let status = a.status().await?;
    assert!(
        status
            .last_error
            .as_deref()
            .is_some_and(|error| error.starts_with("http_500")),
        "{status:?}"
    );
    assert_eq!(status.last_sync_ms, None);
    assert_eq!(
        a.cursor().await?.filter(|_| false),
        cursor,
        "never before the other's row"
    );
    scene.settled(&[&a, &b]).await?;
    assert_eq!(a.status().await?.last_error, None);
    Ok(())
}

async fn pl18_text_in_any_form_settles_everywhere_alike(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile(" Cafe\u{301} ").await?;
    a.add_list(profile, "Cafe\u{301}").await?;
    a.add_list(profile, "trailing ").await?;
    scene.settled(&[&a, &b]).await?;
    b.sql("UPDATE profiles SET name = ' n\u{303} '").await?;
    scene.settled(&[&a, &b]).await
}

/// A number that JSON cannot write is the same everywhere, or nowhere but here.
async fn pl18_a_number_that_cannot_travel_is_told_or_alike(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.add_item(list, "tt1").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE list_items SET imdb_rating = 9e999").await?;
    a.sync().await?;
    if a.status().await?.rejected.is_empty() {
        return scene.settled(&[&a, &b]).await;
    }
    assert_eq!(a.dirty().await?, ["list_items 1"]);
    a.sql("UPDATE list_items SET imdb_rating = 9.5").await?;
    scene.settled(&[&a, &b]).await
}

/// Should a server put what it gets in order, the device takes it over and has nothing more to say.
async fn pl18_a_value_put_in_order_by_the_server_is_taken_over(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile(" Kids ").await?;
    a.net.on_push(Fault::change_answer(|answer| {
        let verdict = &mut answer["tables"][0]["rows"][0];
        verdict["verdict"] = json!("merged");
        verdict["row"] = json!({"name": "Kids"});
        verdict["at"] = json!(1_700_000_000_000_i64);
    }));
    a.push().await?;
    assert_eq!(a.one("SELECT name FROM profiles").await?, "Kids");
    a.check().await
}

on_both_backends!(
    pl01_a_fresh_device_gets_the_live_rows,
    pl02_nothing_new_writes_nothing,
    pl03_an_update_of_an_unknown_row_creates_it,
    pl04_a_row_that_comes_again_is_not_doubled,
    pl05_a_tombstone_of_an_unknown_row_is_passed_over,
    pl06_a_tombstone_takes_the_row_and_what_is_under_it,
    pl07_a_page_is_written_whole_or_not_at_all,
    pl12_a_pulled_row_is_clean_and_keeps_its_time,
    pl17_a_failed_pull_leaves_what_was_pushed_settled,
    pl18_text_in_any_form_settles_everywhere_alike,
    pl18_a_value_put_in_order_by_the_server_is_taken_over,
);

on_both_backends!(pl18_a_number_that_cannot_travel_is_told_or_alike);
