//! What happens between two pages is in one of them.

use std::collections::BTreeSet;

use anyhow::Result;
use sync_tests::{
    Backend, Fault, HttpServer, Scene, SceneDevice, TestDb, account::Origin, on_both_backends,
    synced_rows::live_rows,
};

on_both_backends!(
    pg04_a_row_that_changes_between_pages,
    pg04_rows_that_come_and_go_between_pages,
    pg03_ones_own_push_between_pages,
    pg05_devices_that_push_while_one_pulls,
    pg10_a_page_is_not_half_there,
);

/// A with ten lists, and B that pulls them in pages of two.
async fn ten(scene: &Scene) -> Result<(SceneDevice, SceneDevice)> {
    let (a, mut b) = scene.pair().await?;
    b.limit_rows(1_000, 2);
    let profile = a.add_profile("Anna").await?;
    for number in 0..10 {
        a.add_list(profile, &format!("L{number}")).await?;
    }
    a.sync().await?;
    Ok((a, b))
}

/// Has this done by A before B's pull number `page`.
fn before_page(a: &SceneDevice, b: &SceneDevice, page: usize, sql: &'static str) {
    let (engine, net) = (a.device.device.clone(), std::sync::Arc::clone(&a.net));
    let act = Fault::before(move || async move {
        use sea_orm::ConnectionTrait;
        engine.db().execute_unprepared(sql).await?;
        engine.sync(&*net, &|_| {}).await?;
        Ok(())
    });
    b.net
        .plan_pulls((1..page).map(|_| Fault::None).chain([act]));
}

/// PG04: one that was on a page before, one of the page itself and one of a later page.
async fn pg04_a_row_that_changes_between_pages(db: TestDb) -> Result<()> {
    for change in [
        "UPDATE lists SET name = 'Changed' WHERE name = 'L0'",
        "UPDATE lists SET name = 'Changed' WHERE name = 'L4'",
        "UPDATE lists SET name = 'Changed' WHERE name = 'L9'",
        "UPDATE profiles SET name = 'Changed'",
    ] {
        for page in [1, 2, 3, 5] {
            let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
            let (a, b) = ten(&scene).await?;
            before_page(&a, &b, page, change);
            b.sync().await?;
            let here = sync_tests::snapshot::live_rows(b.device.device.db(), "u1").await?;
            let there = sync_tests::snapshot::live_rows(&scene.server.db, "u1").await?;
            assert_eq!(here, there, "{change} before page {page}");
            scene.settled(&[&a, &b]).await?;
        }
    }
    Ok(())
}

async fn pg04_rows_that_come_and_go_between_pages(db: TestDb) -> Result<()> {
    for change in [
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name IN ('L0', 'L4', 'L9')",
        "DELETE FROM lists WHERE name IN ('L0', 'L4', 'L9')",
        "INSERT INTO lists (profile_id, name) SELECT id, 'New' FROM profiles",
        "INSERT INTO lists (profile_id, name) SELECT id, 'New' FROM profiles; UPDATE lists SET name = 'T' WHERE name = 'L0';
         UPDATE lists SET name = 'L0' WHERE name = 'L9'; UPDATE lists SET name = 'L9' WHERE name = 'T'",
        "UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP",
        "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Ben', 'b'); UPDATE lists SET profile_id = 2 WHERE name IN ('L0', 'L9')",
    ] {
        for page in [2, 5] {
            let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
            let (a, b) = ten(&scene).await?;
            before_page(&a, &b, page, change);
            b.sync().await?;
            let here = sync_tests::snapshot::live_rows(b.device.device.db(), "u1").await?;
            let there = sync_tests::snapshot::live_rows(&scene.server.db, "u1").await?;
            assert_eq!(here, there, "{change} before page {page}");
            scene.settled(&[&a, &b]).await?;
        }
    }
    Ok(())
}

/// B pushes in the middle of its pull: what it has not seen yet still comes, its own does not.
async fn pg03_ones_own_push_between_pages(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = ten(&scene).await?;
    b.net.plan_pulls([Fault::None, Fault::LoseRequest]);
    assert!(b.sync().await.is_err());
    b.sql("UPDATE lists SET name = 'Of B' WHERE name = 'L0'; INSERT INTO lists (profile_id, name) VALUES (1, 'New of B')").await?;
    b.net.plan_pulls([]);
    let report = b.sync().await?;
    assert_eq!(report.n_pushed, 2);
    assert_eq!(b.one("SELECT count(*) FROM lists").await?, "11");
    scene.settled(&[&a, &b]).await
}

/// PG05: five devices push at once, over real HTTP, while a sixth pulls page after page: it misses none.
async fn pg05_devices_that_push_while_one_pulls(db: TestDb) -> Result<()> {
    let n_edits = if db.backend() == Backend::Postgres {
        12
    } else {
        8
    };
    let server = HttpServer::start(db).await?;
    let account = server.account("anna@example.org").await?;
    let reader = account.device(Origin::Fresh).await?;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..5 {
        let device = account.device(Origin::Fresh).await?;
        writers.spawn(async move {
            for edit in 0..n_edits {
                device.sql(&format!("INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, '{number} {edit}', 'x' FROM sync_state")).await?;
                device.device.push(&*device.transport, &|_| {}).await?;
            }
            anyhow::Ok(())
        });
    }
    let (mut seen, mut done) = (BTreeSet::new(), false);
    loop {
        reader.device.pull(&*reader.transport, &|_| {}).await?;
        let now: BTreeSet<String> = reader
            .rows("SELECT name FROM profiles")
            .await?
            .into_iter()
            .collect();
        assert!(now.is_superset(&seen), "something went again");
        seen = now;
        if done {
            break;
        }
        while let Some(written) = writers.try_join_next() {
            written??;
        }
        // One more page after the last of them is through.
        done = writers.is_empty();
    }
    assert_eq!(seen.len(), 5 * n_edits);
    let at_server = live_rows(&server.database().connect().await?).await?;
    assert_eq!(at_server["profiles"].len(), 5 * n_edits);
    Ok(())
}

/// PG10: the cursor cannot be stored, so neither are the rows; then the same page comes again.
async fn pg10_a_page_is_not_half_there(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = ten(&scene).await?;
    b.net.plan_pulls([Fault::None, Fault::LoseRequest]);
    assert!(b.sync().await.is_err());
    let before = (b.everything().await?, b.cursor().await?);
    b.sql("CREATE TRIGGER full BEFORE UPDATE OF cursor ON sync_state BEGIN SELECT RAISE(ABORT, 'no room'); END").await?;
    b.net.plan_pulls([]);
    for _ in 0..2 {
        assert!(b.sync().await.is_err());
        assert_eq!((b.everything().await?, b.cursor().await?), before);
    }
    b.sql("DROP TRIGGER full").await?;
    scene.settled(&[&a, &b]).await
}
