//! A parent that turns out to be another device's takes that one's name, and its children follow.

use anyhow::Result;
use sync_tests::{Fault, Scene, TestDb, on_both_backends};

/// The parent turns out to be another device's: children of the same push and of later ones move to it.
async fn fk11_children_follow_a_parent_that_lost_its_name(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    for (device, title) in [(&a, "tt1"), (&b, "tt2")] {
        let list = device.add_list(1, "Favorites").await?;
        device.add_item(list, title).await?;
    }
    a.sync().await?;
    // While the answer that renames the list is on its way, the user adds to it.
    b.net.on_push(
        b.meanwhile("INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'tt3', 'movie')"),
    );
    b.sync().await?;

    scene.settled(&[&a, &b]).await?;
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "1");
    for device in [&a, &b] {
        let titles = device
            .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
            .await?;
        assert_eq!(titles, ["tt1", "tt2", "tt3"]);
    }
    Ok(())
}

/// The answer that renames the parent is lost, and the children come in the next push.
async fn fk11_also_when_the_answer_is_lost(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    a.add_list(1, "Favorites").await?;
    a.sync().await?;
    let list = b.add_list(1, "Favorites").await?;
    b.net.on_push(Fault::LoseAnswer);
    assert!(b.sync().await.is_err());
    b.add_item(list, "tt2").await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(a.rows("SELECT meta_id FROM list_items").await?, ["tt2"]);
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "1");
    Ok(())
}

/// The winner comes by a pull before the loser was ever pushed.
async fn fk11_also_when_the_winner_is_pulled_first(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    for (device, title) in [(&a, "tt1"), (&b, "tt2")] {
        let list = device.add_list(1, "Favorites").await?;
        device.add_item(list, title).await?;
        device.add_item(list, "tt0").await?;
    }
    a.sync().await?;
    b.pull().await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.rows("SELECT meta_id FROM list_items ORDER BY 1").await?,
        ["tt0", "tt1", "tt2"]
    );
    Ok(())
}

on_both_backends!(
    fk11_children_follow_a_parent_that_lost_its_name,
    fk11_also_when_the_answer_is_lost,
    fk11_also_when_the_winner_is_pulled_first,
);
