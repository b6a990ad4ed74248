//! A page is written around what is pending here.

use anyhow::Result;
use sea_orm::ConnectionTrait;
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

/// What was deleted here for good does not come back because somebody else edited it.
async fn pl06_a_row_deleted_here_does_not_come_back(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.add_item(list, "tt1").await?;
    scene.settled(&[&a, &b]).await?;
    b.sql("UPDATE lists SET name = 'Best'").await?;
    b.add_item(1, "tt2").await?;
    b.sync().await?;
    a.sql("DELETE FROM lists").await?;
    a.pull().await?;
    assert_eq!(
        a.rows("SELECT id FROM lists UNION ALL SELECT id FROM list_items")
            .await?,
        Vec::<String>::new()
    );
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT id FROM lists WHERE deleted_at IS NULL")
            .await?,
        Vec::<String>::new()
    );
    Ok(())
}

async fn pl10_what_came_between_push_and_pull_is_seen(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE profiles SET name = 'Children'").await?;
    let (other, net) = (b.device.device.clone(), std::sync::Arc::clone(&b.net));
    a.net.on_pull(Fault::before(move || async move {
        other
            .db()
            .execute_unprepared("UPDATE profiles SET avatar = 'y'")
            .await?;
        other.sync(&*net, &|_| {}).await?;
        Ok(())
    }));

    a.sync().await?;

    assert_eq!(
        a.one("SELECT name, avatar FROM profiles").await?,
        "Children|y"
    );
    scene.settled(&[&a, &b]).await
}

async fn pl11_the_same_edit_from_elsewhere_leaves_nothing_to_push(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    for device in [&a, &b] {
        device
            .sql("UPDATE profiles SET name = 'Children', avatar = 'y'")
            .await?;
    }
    b.sync().await?;
    a.net.forget();
    a.pull().await?;
    a.check().await?;
    a.sync().await?;
    assert!(a.net.pushes().is_empty());
    Ok(())
}

/// What is left of an edit is what the server does not have.
async fn pl11_a_half_equal_edit_keeps_the_other_half(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE profiles SET name = 'Children', avatar = 'y'")
        .await?;
    b.sql("UPDATE profiles SET name = 'Children', avatar_type = 'z'")
        .await?;
    b.sync().await?;
    a.pull().await?;
    assert_eq!(a.pending().await?, ["profiles 1 avatar"]);
    assert_eq!(
        a.one("SELECT dirty, name, avatar, avatar_type FROM profiles")
            .await?,
        "1|Children|y|z"
    );
    scene.settled(&[&a, &b]).await
}

/// Values of a row that is being edited are not overruled; the others are taken.
async fn pl16_a_pulled_row_goes_around_what_is_pending(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    b.sql("UPDATE profiles SET name = 'From B', avatar = 'b'")
        .await?;
    b.sync().await?;
    a.sql("UPDATE profiles SET name = 'From A'").await?;
    a.pull().await?;
    assert_eq!(
        a.one("SELECT name, avatar, dirty FROM profiles").await?,
        "From A|b|1"
    );
    assert_eq!(a.pending().await?, ["profiles 1 name"]);
    scene.settled(&[&a, &b]).await?;
    assert_eq!(both(&a, &b).await?, ["From A", "From A"]);
    Ok(())
}

async fn both(a: &SceneDevice, b: &SceneDevice) -> Result<[String; 2]> {
    Ok([
        a.one("SELECT name FROM profiles").await?,
        b.one("SELECT name FROM profiles").await?,
    ])
}

/// Not forgotten by the next push, which would leave this device alone with its value.
async fn pl11_a_value_put_back_before_a_pull_takes_the_pulled_one(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE profiles SET name = 'Of A'").await?;
    a.push().await?;
    b.sql("UPDATE profiles SET name = 'Of B'; UPDATE profiles SET name = 'Kids'")
        .await?;
    b.pull().await?;
    assert_eq!(b.one("SELECT name, dirty FROM profiles").await?, "Of A|0");
    scene.settled(&[&a, &b]).await
}

/// What it goes back to is not what the server has: that is an edit.
async fn pl11_a_value_put_back_after_a_pull_is_pushed(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE profiles SET name = 'Of A'").await?;
    a.push().await?;
    b.sql("UPDATE profiles SET name = 'Of B'").await?;
    b.pull().await?;
    b.sql("UPDATE profiles SET name = 'Kids'").await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(a.one("SELECT name FROM profiles").await?, "Kids");
    Ok(())
}

on_both_backends!(
    pl06_a_row_deleted_here_does_not_come_back,
    pl10_what_came_between_push_and_pull_is_seen,
    pl11_the_same_edit_from_elsewhere_leaves_nothing_to_push,
    pl11_a_value_put_back_before_a_pull_takes_the_pulled_one,
    pl11_a_value_put_back_after_a_pull_is_pushed,
    pl11_a_half_equal_edit_keeps_the_other_half,
    pl16_a_pulled_row_goes_around_what_is_pending,
);
