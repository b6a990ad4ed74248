//! A device that was away for longer than tombstones live.

use anyhow::Result;
use sync_core::protocol::ErrorCode;
use sync_tests::{Scene, TestDb, on_both_backends};

use super::{ITEMS, LISTS, delete, forget_all, lists};

on_both_backends!(
    gc01_it_is_told_to_pull_anew_and_deleted_rows_do_not_return,
    gc02_its_edits_of_forgotten_rows_bring_none_back_and_its_new_rows_are_taken,
    gc02_so_it_is_where_it_only_pushes,
    gc02_children_it_made_under_a_forgotten_row_go_with_it,
    gc02_children_it_made_under_a_row_it_knows_to_be_deleted_go_with_it,
    gc02_a_reference_to_a_row_that_is_forgotten_is_cleared,
    gc02_what_it_deleted_itself_stays_deleted,
    gc08_nobody_is_waited_for_and_who_was_away_longer_is_told,
);

/// It heard of the deletion, and the server forgot it before the child came.
async fn gc02_children_it_made_under_a_row_it_knows_to_be_deleted_go_with_it(
    db: TestDb,
) -> Result<()> {
    for again in [false, true] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (a, b) = scene.pair().await?;
        lists(&a, &["Kept", "To go"]).await?;
        scene.settled(&[&a, &b]).await?;
        delete(&a, "To go").await?;
        a.sync().await?;
        let list = b.one("SELECT id FROM lists WHERE name = 'To go'").await?;
        b.add_item(list.parse()?, "tt2").await?;
        b.pull().await?;
        if again {
            // So that it has to pull everything anew.
            delete(&a, "Kept").await?;
            a.sync().await?;
        }
        forget_all(&scene).await?;
        scene.settled(&[&b, &a]).await?;
        let kept: &[&str] = if again { &[] } else { &["Kept|tt1"] };
        assert_eq!(b.rows(ITEMS).await?, kept, "anew: {again}");
    }
    Ok(())
}

async fn gc02_a_reference_to_a_row_that_is_forgotten_is_cleared(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.sql("INSERT INTO settings_profiles (user_id, name) VALUES ('u1', 'Home')")
        .await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE settings_profiles SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    a.sync().await?;
    b.sql("UPDATE profiles SET settings_profile_id = 1, name = 'Edited'")
        .await?;
    b.pull().await?;
    forget_all(&scene).await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.one("SELECT name || coalesce(settings_profile_id, '-') FROM profiles")
            .await?,
        "Edited-"
    );
    Ok(())
}

async fn gc01_it_is_told_to_pull_anew_and_deleted_rows_do_not_return(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "To go").await?;
    a.sync().await?;
    forget_all(&scene).await?;

    b.net.forget();
    b.sync().await?;
    let refused = b.net.deliver(b.net.requests().remove(0)).await?;
    assert_eq!(refused.status(), 410);
    assert!(String::from_utf8_lossy(refused.body()).contains(ErrorCode::CursorTooOld.as_str()));

    assert_eq!(b.rows(LISTS).await?, ["Kept"]);
    scene.settled(&[&b, &a]).await?;
    assert_eq!(scene.rows(LISTS).await?, ["Kept"]);
    Ok(())
}

async fn gc02_its_edits_of_forgotten_rows_bring_none_back_and_its_new_rows_are_taken(
    db: TestDb,
) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "To go").await?;
    a.sync().await?;
    forget_all(&scene).await?;

    b.sql("UPDATE lists SET is_default = 1 WHERE name = 'To go'; UPDATE lists SET name = 'Edited' WHERE name = 'Kept'")
        .await?;
    let made = b.add_list(1, "Made offline").await?;
    b.add_item(made, "tt2").await?;
    b.sync().await?;

    scene.settled(&[&b, &a]).await?;
    for rows in [b.rows(ITEMS).await?, a.rows(ITEMS).await?] {
        assert_eq!(rows, ["Edited|tt1", "Made offline|tt2"]);
    }
    Ok(())
}

/// The refusal comes before anything of the push is looked at.
async fn gc02_so_it_is_where_it_only_pushes(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "To go").await?;
    a.sync().await?;
    forget_all(&scene).await?;
    b.sql("UPDATE lists SET is_default = 1 WHERE name = 'To go'")
        .await?;
    let (before, pending) = (scene.account("u1").await?, b.pending().await?);

    let error = b.push().await.err().and_then(|error| error.code());

    assert_eq!(error, Some(ErrorCode::CursorTooOld));
    assert_eq!(scene.account("u1").await?, before);
    assert_eq!(b.pending().await?, pending, "nothing is forgotten for that");
    scene.settled(&[&b, &a]).await?;
    assert_eq!(a.rows(LISTS).await?, ["Kept"]);
    Ok(())
}

/// As where the parent's deletion is still known.
async fn gc02_children_it_made_under_a_forgotten_row_go_with_it(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "To go").await?;
    a.sync().await?;
    forget_all(&scene).await?;

    let to_go = b.one("SELECT id FROM lists WHERE name = 'To go'").await?;
    b.add_item(to_go.parse()?, "tt9").await?;
    b.add_item(1, "tt8").await?;
    scene.settled(&[&b, &a]).await?;

    let expected = ["Kept|tt1", "Kept|tt8"];
    assert_eq!(b.rows(ITEMS).await?, expected);
    assert_eq!(a.rows(ITEMS).await?, expected);
    Ok(())
}

async fn gc02_what_it_deleted_itself_stays_deleted(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go", "Mine to delete", "Deleted by both"]).await?;
    scene.settled(&[&a, &b]).await?;
    for name in ["To go", "Deleted by both"] {
        delete(&a, name).await?;
    }
    a.sync().await?;
    forget_all(&scene).await?;
    delete(&b, "Mine to delete").await?;
    b.sql("DELETE FROM lists WHERE name = 'Deleted by both'")
        .await?;

    scene.settled(&[&b, &a]).await?;

    assert_eq!(a.rows(LISTS).await?, ["Kept"]);
    Ok(())
}

/// The rule: tombstones live as long as the operator says, whoever has not come.
async fn gc08_nobody_is_waited_for_and_who_was_away_longer_is_told(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    lists(&a, &["Kept", "To go"]).await?;
    scene.settled(&[&a, &b]).await?;
    delete(&a, "To go").await?;
    a.sync().await?;
    let up_to_date = scene.device().await?;
    up_to_date.sync().await?;

    assert_eq!(forget_all(&scene).await?.n_tombstones, 2);

    up_to_date.net.forget();
    up_to_date.sync().await?;
    assert_eq!(up_to_date.net.pulls().len(), 1, "goes on as ever");
    b.net.forget();
    b.sync().await?;
    assert_eq!(b.net.pulls().len(), 2, "told once, then everything anew");
    scene.settled(&[&a, &b, &up_to_date]).await
}
