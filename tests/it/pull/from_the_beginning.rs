//! A pull from the beginning, page by page, while the server forgets tombstones.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_core::{
    protocol::{ErrorCode, PullPage},
    server::{Caller, PullQuery, ServerError},
};
use sync_tests::{Scene, SceneDevice, TestDb, on_both_backends, scene::USER};

/// What was forgotten had been deleted before the pull began, so the device has never had it.
async fn gc_a_fresh_pull_goes_on_over_what_was_forgotten_before_it(db: TestDb) -> Result<()> {
    let (scene, a) = world(db).await?;
    delete(&a, "List 1").await?;
    forget_all(&scene).await?;
    let mut page = pull(&scene, None).await?;
    let mut n_pages = 1;
    while page.has_more {
        page = pull(&scene, Some(page.cursor)).await?;
        n_pages += 1;
    }
    assert!(n_pages > 2);
    assert_eq!(page.cursor, page.head);
    assert_eq!(pull(&scene, Some(page.cursor)).await?.tables.len(), 0);
    Ok(())
}

/// What was deleted since is heard of as long as it is not forgotten.
async fn gc_a_fresh_pull_hears_of_deletions_during_it(db: TestDb) -> Result<()> {
    let (scene, a) = world(db).await?;
    delete(&a, "List 1").await?;
    forget_all(&scene).await?;
    let page = pull(&scene, None).await?;
    assert!(page.has_more);
    delete(&a, "List 2").await?;
    let mut told = 0;
    let mut cursor = page.cursor;
    loop {
        let page = pull(&scene, Some(cursor)).await?;
        told += page
            .tables
            .iter()
            .map(|table| table.rows.get().matches("\"deleted_at\":\"").count())
            .sum::<usize>();
        cursor = page.cursor;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(told, 1);
    Ok(())
}

/// Once such a deletion is forgotten, the device has to begin again: it may have the row from page 1.
async fn gc_a_fresh_pull_ends_when_a_deletion_during_it_is_forgotten(db: TestDb) -> Result<()> {
    for forgotten_before in [true, false] {
        let (scene, a) = world(TestDb::new(db.backend()).await?).await?;
        if forgotten_before {
            delete(&a, "List 1").await?;
            forget_all(&scene).await?;
        }
        let page = pull(&scene, None).await?;
        assert!(page.has_more);
        delete(&a, "List 2").await?;
        forget_all(&scene).await?;
        let refused = pull(&scene, Some(page.cursor)).await;
        let code = refused.err().map(|error| error.code());
        assert_eq!(code, Some(ErrorCode::CursorTooOld));
        let b = scene.device().await?;
        scene.settled(&[&b]).await?;
    }
    Ok(())
}

/// A device that has been here before gets no such grace.
async fn gc_a_cursor_that_did_not_begin_at_the_beginning_is_too_old(db: TestDb) -> Result<()> {
    let (scene, a) = world(db).await?;
    let head = pull(&scene, None).await?.head;
    delete(&a, "List 1").await?;
    forget_all(&scene).await?;
    let refused = pull(&scene, Some(head)).await;
    assert_eq!(
        refused.err().map(|error| error.code()),
        Some(ErrorCode::CursorTooOld)
    );
    Ok(())
}

async fn world(db: TestDb) -> Result<(Scene, SceneDevice)> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    let profile = a.add_profile("Kids").await?;
    for number in 0..6 {
        a.add_list(profile, &format!("List {number}")).await?;
    }
    a.sync().await?;
    Ok((scene, a))
}

async fn delete(a: &SceneDevice, name: &str) -> Result<()> {
    a.sql(&format!(
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = '{name}'"
    ))
    .await?;
    a.sync().await?;
    Ok(())
}

async fn pull(scene: &Scene, cursor: Option<String>) -> Result<PullPage, ServerError> {
    let caller = Caller {
        user_id: USER.to_owned(),
        device: 7,
    };
    let query = PullQuery {
        cursor,
        limit: Some(2),
        ..PullQuery::default()
    };
    scene.server.engine.pull(&caller, &query).await
}

/// What the server does with tombstones that are old enough: all of them are.
async fn forget_all(scene: &Scene) -> Result<()> {
    for sql in [
        "DELETE FROM lists WHERE deleted_at IS NOT NULL",
        "DELETE FROM sync_deleted",
        "DELETE FROM sync_feed WHERE deleted_at IS NOT NULL",
        "UPDATE sync_account SET horizon = head",
    ] {
        scene.server.db.execute_unprepared(sql).await?;
    }
    Ok(())
}

on_both_backends!(
    gc_a_fresh_pull_goes_on_over_what_was_forgotten_before_it,
    gc_a_fresh_pull_hears_of_deletions_during_it,
    gc_a_fresh_pull_ends_when_a_deletion_during_it_is_forgotten,
    gc_a_cursor_that_did_not_begin_at_the_beginning_is_too_old,
);
