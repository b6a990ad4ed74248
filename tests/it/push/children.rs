//! Children of a row that the server does not take wait for it.

use anyhow::Result;
use sync_tests::{Scene, TestDb, on_both_backends};

async fn pu12_children_of_a_rejected_row_wait_for_it(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "bad").await?;
    for title in ["tt1", "tt2", "tt3"] {
        a.add_item(list, title).await?;
    }
    scene.refuse_name("lists", "bad").await?;

    a.sync().await?;

    let waiting = [
        "list_items 1 parent_rejected",
        "list_items 2 parent_rejected",
        "list_items 3 parent_rejected",
    ];
    assert_eq!(
        a.rejected().await?,
        [&waiting[..], &["lists 1 constraint"]].concat()
    );
    assert_eq!(a.dirty().await?.len(), 4);
    assert_eq!(scene.one("SELECT count(*) FROM list_items").await?, "0");
    a.sql("UPDATE lists SET name = 'Good'").await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(a.rejected().await?, Vec::<String>::new());
    assert_eq!(b.rows("SELECT id FROM list_items").await?.len(), 3);
    Ok(())
}

async fn pu12_so_do_grandchildren_and_others_go_on(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    for name in ["bad", "Good"] {
        let profile = a.add_profile(name).await?;
        let list = a.add_list(profile, "Favorites").await?;
        a.add_item(list, "tt1").await?;
    }
    scene.refuse_name("profiles", "bad").await?;
    a.sync().await?;
    let expected = [
        "list_items 1 parent_rejected",
        "lists 1 parent_rejected",
        "profiles 1 constraint",
    ];
    assert_eq!(a.rejected().await?, expected);
    assert_eq!(scene.one("SELECT count(*) FROM list_items").await?, "1");
    a.sql("UPDATE profiles SET name = 'Corrected' WHERE id = 1")
        .await?;
    scene.settled(&[&a, &b]).await
}

/// A parent and its children need not fit in one push.
async fn pu12_children_in_a_later_batch_wait_too(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (mut a, b) = scene.pair().await?;
    a.limit_rows(1, 1_000);
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "bad").await?;
    a.add_item(list, "tt1").await?;
    scene.refuse_name("lists", "bad").await?;
    a.sync().await?;
    assert_eq!(
        a.rejected().await?,
        ["list_items 1 parent_rejected", "lists 1 constraint"]
    );
    a.sql("UPDATE lists SET name = 'Good'").await?;
    scene.settled(&[&a, &b]).await
}

/// A known parent whose edit is refused is still there.
async fn pu12_children_of_a_known_row_do_not_wait(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.sync().await?;
    scene.refuse_name("lists", "bad").await?;
    a.sql("UPDATE lists SET name = 'bad'").await?;
    a.add_item(list, "tt1").await?;
    a.sync().await?;
    assert_eq!(scene.one("SELECT count(*) FROM list_items").await?, "1");
    a.sql("UPDATE lists SET name = 'Good'").await?;
    scene.settled(&[&a, &b]).await
}

/// The device itself cannot read the parent, so the server never hears of it.
async fn pu12_children_of_an_unreadable_row_wait(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.add_item(list, "tt1").await?;
    // Without its name nobody knows which list it is.
    a.sql("UPDATE lists SET name = X'FFFE'").await?;
    a.sync().await?;
    assert_eq!(a.rejected().await?, ["lists 1 unreadable"]);
    assert_eq!(a.dirty().await?, ["lists 1", "list_items 1"]);
    a.sql("UPDATE lists SET name = 'Later'").await?;
    scene.settled(&[&a, &b]).await
}

async fn pu12_children_of_a_row_that_lacks_a_value_do_not_wait(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.add_item(list, "tt1").await?;
    a.sql("UPDATE lists SET is_default = 'perhaps'").await?;
    a.sync().await?;
    assert_eq!(a.rejected().await?, ["lists 1 unreadable"]);
    assert_eq!(a.dirty().await?, ["lists 1"]);
    a.sql("UPDATE lists SET is_default = 1").await?;
    scene.settled(&[&a, &b]).await
}

on_both_backends!(
    pu12_children_of_a_rejected_row_wait_for_it,
    pu12_so_do_grandchildren_and_others_go_on,
    pu12_children_of_a_known_row_do_not_wait,
    pu12_children_of_an_unreadable_row_wait,
    pu12_children_of_a_row_that_lacks_a_value_do_not_wait,
);

on_both_backends!(pu12_children_in_a_later_batch_wait_too);
