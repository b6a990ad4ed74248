//! The same push again, at once or a day later; and another one that claims its number.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};
use sync_core::{Clock, ManualClock, SystemClock};
use sync_tests::{
    Scene, TestDb, on_both_backends,
    scene::{USER, new_row},
};

const ONE: &str = "0190a6e0-0000-7000-8000-0000000000a1";
const TWO: &str = "0190a6e0-0000-7000-8000-0000000000a2";
const DAY_MS: i64 = 86_400_000;

/// It would look like the push of a device whose clock is a day behind, and beat what came after it.
async fn r04_the_last_push_of_a_device_a_day_later_changes_nothing(db: TestDb) -> Result<()> {
    let clock = Arc::new(ManualClock::new(SystemClock.now_ms()));
    let scene = Scene::at(db, Arc::<ManualClock>::clone(&clock)).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Favorites").await?;
    a.add_item(list, "tt1").await?;
    scene.settled(&[&a, &b]).await?;
    clock.advance(60_000);
    a.sql("UPDATE lists SET name = 'From A'").await?;
    a.sql("UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP WHERE 0")
        .await?;
    a.sync().await?;
    let push = a.net.requests().into_iter().find(is_push);
    let push = push.ok_or_else(|| anyhow::anyhow!("nothing was pushed"))?;
    b.sync().await?;
    clock.advance(60_000);
    b.sql("UPDATE lists SET name = 'From B'").await?;
    b.sql("UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    b.sync().await?;
    let there = scene.account(USER).await?;
    for later in [0, DAY_MS, DAY_MS] {
        clock.advance(later);
        let answer = a.net.deliver(push.clone()).await?;
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert_eq!(scene.account(USER).await?, there);
    }
    scene.settled(&[&a, &b]).await
}

fn is_push(request: &http::Request<bytes::Bytes>) -> bool {
    request.uri().path() == sync_core::protocol::PUSH_PATH
}

/// Every kind of verdict, merged once more.
async fn rt06_a_repetition_finds_everything_as_it_left_it(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    for name in ["Kept", "Taken", "Deleted", "Renamed"] {
        let list = a.add_list(profile, name).await?;
        a.add_item(list, "tt1").await?;
    }
    scene.settled(&[&a, &b]).await?;
    b.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'Deleted'")
        .await?;
    b.sync().await?;
    a.add_item(3, "tt2").await?;
    a.add_list(profile, "Kept ").await?;
    a.sql("UPDATE lists SET name = 'Taken' WHERE name = 'Renamed' AND 0")
        .await?;
    a.add_list(profile, "New").await?;
    a.sql("UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE list_id = 1")
        .await?;
    a.net.forget();
    a.push().await?;
    let there = scene.account(USER).await?;
    for push in a.net.requests() {
        let answer = a.net.deliver(push).await?;
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert_eq!(scene.account(USER).await?, there);
    }
    scene.settled(&[&a, &b]).await
}

/// A renamed row that got a suffix must not get another one.
async fn rt06_a_taken_name_is_changed_once(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "One").await?;
    a.add_list(profile, "Two").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE lists SET name = 'Same' WHERE name = 'One'")
        .await?;
    b.sql("UPDATE lists SET name = 'Same' WHERE name = 'Two'")
        .await?;
    a.sync().await?;
    b.net.forget();
    b.push().await?;
    let there = scene.account(USER).await?;
    for push in b.net.requests() {
        b.net.deliver(push).await?;
        assert_eq!(scene.account(USER).await?, there);
    }
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        a.rows("SELECT name FROM lists ORDER BY name").await?,
        ["Same", "Same (2)"]
    );
    Ok(())
}

/// Two copies of one database count alike; the second to come is told, and changes nothing.
async fn j34_a_number_with_another_body_is_refused(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let push = |name: &str, id: &str| -> Value {
        json!([{"table": "profiles", "rows": [new_row(id, 1, json!({"name": name, "avatar": "x"}))]}])
    };
    assert_eq!(scene.push_by_hand(USER, 1, 1, push("A", ONE)).await?.0, 200);
    let there = scene.account(USER).await?;
    let (status, answer) = scene.push_by_hand(USER, 1, 1, push("B", TWO)).await?;
    assert_eq!(
        (status, &answer["code"], &answer["last_push_no"]),
        (409, &json!("push_overtaken"), &json!(1))
    );
    assert_eq!(scene.account(USER).await?, there);
    assert_eq!(
        scene.push_by_hand(USER, 2, 1, push("B", TWO)).await?.0,
        200,
        "another device counts for itself"
    );
    Ok(())
}

on_both_backends!(
    r04_the_last_push_of_a_device_a_day_later_changes_nothing,
    rt06_a_repetition_finds_everything_as_it_left_it,
    rt06_a_taken_name_is_changed_once,
    j34_a_number_with_another_body_is_refused,
);
