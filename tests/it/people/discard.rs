//! What is pending of a row is given up: the server's form stands again.

use anyhow::{Context, Result};
use sync_core::{SyncError, device::DiscardOutcome};
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

use super::{here, name_of};

async fn an_edit_that_was_refused_is_given_up(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    scene.refuse_name("lists", "bad").await?;
    a.sql("UPDATE lists SET name = 'bad', is_default = 1 WHERE id = 1")
        .await?;
    a.sync().await?;
    assert_eq!(a.rejected().await?, ["lists 1 constraint"]);

    let done = discard(&a, "lists", 1, false).await?;

    assert_eq!(
        (done.outcome, done.n_removed),
        (DiscardOutcome::TakenBack, 0)
    );
    assert_eq!(done.remote_id, Some(name_of(&a, "lists", 1).await?));
    assert_eq!(
        a.one("SELECT name || coalesce(is_default, 0) FROM lists WHERE id = 1")
            .await?,
        "One0"
    );
    assert!(
        a.pending().await?.is_empty()
            && a.rejected().await?.is_empty()
            && a.dirty().await?.is_empty()
    );
    a.net.forget();
    scene.settled(&[&a, &b]).await
}

/// It may be named by the name all replicas know it by, too.
async fn a_row_that_the_server_never_took_is_removed_with_its_children(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    scene.refuse_name("lists", "bad").await?;
    let list = a.add_list(1, "bad").await?;
    a.add_item(list, "tt1").await?;
    a.sync().await?;
    assert_eq!(
        a.rejected().await?,
        ["list_items 3 parent_rejected", "lists 3 constraint"]
    );

    let name = sync_core::device::RowId::Name(name_of(&a, "lists", list).await?);
    let done = a
        .device
        .device
        .discard(&*a.net, "lists", &name, false)
        .await?;

    assert_eq!((done.outcome, done.n_removed), (DiscardOutcome::Removed, 2));
    assert!(
        a.rows("SELECT id FROM lists WHERE name = 'bad'")
            .await?
            .is_empty()
    );
    assert!(a.rejected().await?.is_empty());
    scene.settled(&[&a, &b]).await
}

async fn a_row_that_waits_for_its_first_sync_goes_only_if_somebody_says_so(
    db: TestDb,
) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    let list = a.add_list(1, "New").await?;
    let before = a.everything().await?;
    let error = discard(&a, "lists", list, false)
        .await
        .err()
        .context("it was not confirmed")?;
    let unconfirmed = error.downcast_ref::<SyncError>().map(SyncError::word);
    assert_eq!(unconfirmed, Some("unconfirmed"), "{error}");
    assert_eq!(a.everything().await?, before);
    let done = discard(&a, "lists", list, true).await?;
    assert_eq!((done.outcome, done.n_removed), (DiscardOutcome::Removed, 1));
    scene.settled(&[&a, &b]).await
}

/// A known row would be deleted everywhere with the one it was moved to.
async fn a_known_row_moved_under_a_new_one_is_not_removed_with_it(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    let list = a.add_list(1, "New").await?;
    a.sql(&format!(
        "UPDATE list_items SET list_id = {list} WHERE id = 1"
    ))
    .await?;
    let error = discard(&a, "lists", list, true)
        .await
        .err()
        .context("it was refused")?;
    assert!(error.to_string().contains("`list_items`"), "{error}");
    discard(&a, "list_items", 1, false).await?;
    discard(&a, "lists", list, true).await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        a.rows("SELECT list_id FROM list_items ORDER BY id").await?,
        ["1", "2"]
    );
    Ok(())
}

async fn a_deletion_is_given_up_with_what_went_along(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = 1")
        .await?;
    assert_eq!(
        a.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        ["2"]
    );
    discard(&a, "lists", 1, false).await?;
    assert_eq!(
        a.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        ["1", "2"]
    );
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?
            .len(),
        2
    );

    // And one that came back here only.
    b.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'Two'")
        .await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE lists SET deleted_at = NULL WHERE name = 'Two'")
        .await?;
    discard(&a, "lists", 2, false).await?;
    assert_eq!(
        a.rows("SELECT id FROM list_items WHERE deleted_at IS NULL")
            .await?,
        ["1"]
    );
    scene.settled(&[&a, &b]).await
}

async fn a_row_deleted_for_good_comes_back(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    let name = name_of(&a, "list_items", 1).await?;
    a.sql("DELETE FROM list_items WHERE id = 1").await?;
    let done = discard(&a, "list_items", 1, false).await?;
    assert_eq!(
        (done.outcome, done.remote_id.as_ref()),
        (DiscardOutcome::TakenBack, Some(&name))
    );
    assert_eq!(a.rows("SELECT id FROM list_items").await?.len(), 2);
    assert!(
        a.rows("SELECT remote_id FROM sync_deleted")
            .await?
            .is_empty()
    );
    scene.settled(&[&a, &b]).await
}

/// Another device has made the same thing first, which this one has not heard of.
async fn what_became_another_name_is_taken_by_that(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.add_list(1, "Same").await?;
    b.add_list(1, "Same").await?;
    a.sync().await?;
    b.net.on_push(Fault::LoseAnswer);
    assert!(b.push().await.is_err());
    b.sql("UPDATE lists SET is_default = 1 WHERE name = 'Same'")
        .await?;
    discard(&b, "lists", 3, false).await?;
    assert_eq!(
        name_of(&b, "lists", 3).await?,
        name_of(&a, "lists", 3).await?
    );
    assert!(b.pending().await?.is_empty());
    scene.settled(&[&a, &b]).await
}

/// Then it says so, and what waits still waits.
async fn a_row_that_cannot_be_written_over_stays(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql("UPDATE list_items SET imdb_rating = 'much' WHERE id = 1")
        .await?;
    a.sync().await?;
    assert_eq!(a.rejected().await?, ["list_items 1 unreadable"]);
    let before = a.everything().await?;
    let error = discard(&a, "list_items", 1, true).await;
    let error = error.err().context("it cannot be read")?;
    let word = error.downcast_ref::<SyncError>().map(SyncError::word);
    assert_eq!(word, Some("not_written"), "{error}");
    assert_eq!(a.everything().await?, before);
    assert_eq!(a.rejected().await?, ["list_items 1 unreadable"]);
    a.sql("UPDATE list_items SET imdb_rating = 7 WHERE id = 1")
        .await?;
    scene.settled(&[&a, &b]).await
}

async fn an_edit_made_meanwhile_is_another_one(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql("UPDATE lists SET name = 'First' WHERE id = 1")
        .await?;
    a.net
        .on_pull(a.meanwhile("UPDATE lists SET name = 'Second' WHERE id = 1"));
    discard(&a, "lists", 1, false).await?;
    assert_eq!(a.pending().await?, ["lists 1 name"]);
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.one("SELECT name FROM lists WHERE id = 1").await?,
        "Second"
    );
    Ok(())
}

async fn without_the_server_nothing_is_given_up(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql("UPDATE lists SET name = 'Mine' WHERE id = 1").await?;
    let before = (a.everything().await?, a.pending().await?);
    for fault in [
        Fault::Offline,
        Fault::LoseAnswer,
        Fault::AnswerInstead(200, b"<html>".to_vec()),
    ] {
        a.net.on_pull(fault);
        discard(&a, "lists", 1, true)
            .await
            .err()
            .context("it failed")?;
        assert_eq!((a.everything().await?, a.pending().await?), before);
    }
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.one("SELECT name FROM lists WHERE id = 1").await?, "Mine");
    Ok(())
}

async fn where_nothing_is_pending_or_nothing_is_there_it_is_said(db: TestDb) -> Result<()> {
    let (_scene, a, _b) = world(db).await?;
    assert_eq!(
        discard(&a, "lists", 1, true).await?.outcome,
        DiscardOutcome::Nothing
    );
    for (table, id, expected) in [("lists", 99, "unknown_row"), ("user", 1, "unknown_table")] {
        let error = discard(&a, table, id, true)
            .await
            .err()
            .context("unknown")?;
        assert_eq!(
            error.downcast_ref::<SyncError>().map(SyncError::word),
            Some(expected)
        );
    }
    Ok(())
}

/// A profile with two lists of one item each, on two devices.
async fn world(db: TestDb) -> Result<(Scene, SceneDevice, SceneDevice)> {
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

/// The push it was in may not have arrived, and is not to arrive any more.
async fn what_was_sent_and_not_answered_is_given_up_too(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    let list = a.add_list(1, "New").await?;
    a.sql("UPDATE lists SET name = 'Renamed' WHERE id = 1")
        .await?;
    a.net.on_push(Fault::LoseRequest);
    assert!(a.sync().await.is_err());

    discard(&a, "lists", list, true).await?;
    discard(&a, "lists", 1, false).await?;

    scene.settled(&[&a, &b]).await?;
    let names = "SELECT name FROM lists WHERE name IN ('New', 'Renamed')";
    assert!(scene.rows(names).await?.is_empty() && a.rows(names).await?.is_empty());
    Ok(())
}

async fn discard(
    device: &SceneDevice,
    table: &str,
    id: i64,
    confirmed: bool,
) -> Result<sync_core::device::Discarded> {
    let engine = &device.device.device;
    Ok(engine
        .discard(&*device.net, table, &here(id), confirmed)
        .await?)
}

on_both_backends!(
    an_edit_that_was_refused_is_given_up,
    a_row_that_the_server_never_took_is_removed_with_its_children,
    a_row_that_waits_for_its_first_sync_goes_only_if_somebody_says_so,
    a_known_row_moved_under_a_new_one_is_not_removed_with_it,
    a_deletion_is_given_up_with_what_went_along,
    a_row_deleted_for_good_comes_back,
    what_became_another_name_is_taken_by_that,
    a_row_that_cannot_be_written_over_stays,
    what_was_sent_and_not_answered_is_given_up_too,
    an_edit_made_meanwhile_is_another_one,
    without_the_server_nothing_is_given_up,
    where_nothing_is_pending_or_nothing_is_there_it_is_said,
);
