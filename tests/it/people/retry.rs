//! What was refused is told since when, with all there is to know, and can be tried once more.

use std::sync::Arc;

use anyhow::Result;
use sync_core::{Clock, ManualClock};
use sync_tests::{Scene, TestDb, on_both_backends};

use super::{here, name_of};

const NOON: i64 = 1_780_000_000_000;
const REFUSE: &str = "CREATE TRIGGER refuse BEFORE INSERT ON lists WHEN NEW.name LIKE 'odd%'
    BEGIN SELECT RAISE(ABORT, 'odd is not allowed here'); END";

async fn a_refused_row_is_told_since_it_was_first_refused(db: TestDb) -> Result<()> {
    let clock = Arc::new(ManualClock::new(NOON));
    let scene = Scene::at(db, Arc::clone(&clock) as Arc<dyn Clock>).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    scene.refuse_name("lists", "bad").await?;
    b.sql(REFUSE).await?;
    a.add_list(profile, "bad").await?;
    a.add_list(profile, "odd").await?;
    for _ in 0..3 {
        a.sync().await?;
        b.sync().await?;
        clock.advance(60_000);
    }

    let rejected = a.status().await?.rejected;
    let [row] = rejected.as_slice() else {
        panic!("{rejected:?}")
    };
    assert_eq!(
        (row.table.as_str(), row.row_id, row.code.as_str()),
        ("lists", 1, "constraint")
    );
    assert_eq!(row.remote_id, Some(name_of(&a, "lists", 1).await?));
    assert!(row.message.is_some());
    assert_eq!((row.since_ms, row.at_ms), (NOON, NOON + 120_000));

    let quarantined = b.status().await?.quarantined;
    let [row] = quarantined.as_slice() else {
        panic!("{quarantined:?}")
    };
    assert_eq!(
        (row.table.as_str(), row.row_id, row.code.as_str()),
        ("lists", None, "constraint")
    );
    assert_eq!(row.remote_id, name_of(&a, "lists", 2).await?);
    assert_eq!((row.since_ms, row.at_ms), (NOON, NOON + 120_000));
    Ok(())
}

async fn the_last_error_has_its_code(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.sync().await?;
    let status = a.status().await?;
    assert_eq!((status.last_error_code, status.last_error), (None, None));
    a.net.on_pull(sync_tests::Fault::Offline);
    assert!(a.sync().await.is_err());
    let status = a.status().await?;
    assert_eq!(status.last_error_code.as_deref(), Some("offline"));
    assert!(status.last_error_ms.is_some() && status.last_sync_ms.is_some());
    Ok(())
}

async fn what_was_set_aside_is_tried_at_once(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    for name in ["odd 1", "odd 2"] {
        a.add_list(profile, name).await?;
    }
    a.sync().await?;
    b.sql(REFUSE).await?;
    b.sync().await?;
    let retried = b.device.device.retry(None).await?;
    assert_eq!((retried.written.len(), retried.quarantined.len()), (0, 2));

    b.sql("DROP TRIGGER refuse").await?;
    let name = name_of(&a, "lists", 2).await?;
    let one = sync_core::device::RowId::Name(name.clone());
    let retried = b.device.device.retry(Some(("lists", &one))).await?;
    assert_eq!((retried.written.len(), retried.quarantined.len()), (1, 0));
    assert_eq!(retried.written[0].remote_id, name);
    assert_eq!(b.rows("SELECT name FROM lists").await?, ["odd 2"]);
    b.device.device.retry(None).await?;
    scene.settled(&[&a, &b]).await
}

async fn what_the_server_refused_goes_out_again_and_is_told_until_it_is_taken(
    db: TestDb,
) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    let profile = a.add_profile("Kids").await?;
    scene.refuse_name("lists", "bad").await?;
    let list = a.add_list(profile, "bad").await?;
    a.sync().await?;
    let retried = a.device.device.retry(Some(("lists", &here(list)))).await?;
    assert_eq!(retried.rejected.len(), 1);
    assert_eq!(
        a.rejected().await?,
        ["lists 1 constraint"],
        "told until it is taken"
    );
    let other = a
        .device
        .device
        .retry(Some(("profiles", &here(profile))))
        .await?;
    assert!(other.rejected.is_empty());
    a.sync().await?;
    assert_eq!(a.rejected().await?, ["lists 1 constraint"]);
    a.sql("UPDATE lists SET name = 'good'").await?;
    scene.settled(&[&a]).await
}

on_both_backends!(
    a_refused_row_is_told_since_it_was_first_refused,
    the_last_error_has_its_code,
    what_was_set_aside_is_tried_at_once,
    what_the_server_refused_goes_out_again_and_is_told_until_it_is_taken,
);
