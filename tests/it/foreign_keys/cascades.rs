//! What a parent's deletion does to its children, in every order of arrival.

use anyhow::Result;
use serde_json::{Value, json};
use sync_core::{Clock, SystemClock};
use sync_tests::{
    Scene, TestDb, on_both_backends,
    scene::{USER, new_row},
};

const PROFILE: &str = "0190a6e0-0000-7000-8000-0000000000a1";
const FROM: &str = "0190a6e0-0000-7000-8000-0000000000b1";
const TO: &str = "0190a6e0-0000-7000-8000-0000000000b2";
const ITEM: &str = "0190a6e0-0000-7000-8000-0000000000c1";
const GONE_AT: &str = "2026-01-01T00:00:00.000Z";

/// Three pushes by hand: what they do to the item, in every order in which they can arrive.
async fn in_every_order(
    backend: sync_tests::Backend,
    pushes: &[(i64, Value)],
    lives: bool,
) -> Result<()> {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let scene = Scene::new(TestDb::new(backend).await?).await?;
        family(&scene).await?;
        for (number, index) in order.iter().enumerate() {
            let Some((device, tables)) = pushes.get(*index) else {
                continue;
            };
            let push_no = i64::try_from(number)? + 10;
            let (status, answer) = scene
                .push_by_hand(USER, *device, push_no, tables.clone())
                .await?;
            assert_eq!(status, 200, "{answer}");
        }
        let there = scene
            .one("SELECT l.name || ' ' || (i.deleted_at IS NULL) FROM list_items i JOIN lists l ON l.id = i.list_id")
            .await?;
        let truth = |yes: bool| match backend {
            sync_tests::Backend::Sqlite => u8::from(yes).to_string(),
            sync_tests::Backend::Postgres => yes.to_string(),
        };
        assert_eq!(there, format!("To {}", truth(lives)), "{order:?}");
        let b = scene.device().await?;
        scene.settled(&[&b]).await?;
    }
    Ok(())
}

fn moved() -> (i64, Value) {
    let item = edit(ITEM, "list_id", now() - 60_000, json!(TO));
    (1, json!([{"table": "list_items", "rows": [item]}]))
}

fn deleted(id: &str) -> Value {
    edit(id, "deleted_at", now() - 50_000, json!(GONE_AT))
}

async fn fk06_a_moved_child_outlives_its_old_parent_in_every_order(db: TestDb) -> Result<()> {
    let list = (2, json!([{"table": "lists", "rows": [deleted(FROM)]}]));
    in_every_order(db.backend(), &[moved(), list], true).await
}

/// The device that deleted the list did not know of the move, and deleted the item itself.
async fn fk06_a_child_that_a_device_deleted_stays_deleted_in_every_order(db: TestDb) -> Result<()> {
    let list = (2, json!([{"table": "lists", "rows": [deleted(FROM)]}]));
    let item = (2, json!([{"table": "list_items", "rows": [deleted(ITEM)]}]));
    let both = json!([{"table": "lists", "rows": [deleted(FROM)]}, {"table": "list_items", "rows": [deleted(ITEM)]}]);
    in_every_order(db.backend(), &[moved(), (2, both)], false).await?;
    // The two parts of one deletion arrive in their order; the move before, between and after them.
    for place in 0..3 {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        family(&scene).await?;
        let mut pushes = vec![list.clone(), item.clone()];
        pushes.insert(place, moved());
        for (number, (device, tables)) in pushes.into_iter().enumerate() {
            let push_no = i64::try_from(number)? + 10;
            scene.push_by_hand(USER, device, push_no, tables).await?;
        }
        let dead = scene.rows("SELECT id FROM list_items WHERE deleted_at IS NOT NULL");
        assert_eq!(dead.await?.len(), 1, "{place}");
    }
    Ok(())
}

/// Two devices delete a profile at different times; each knows other children of it.
async fn de07_all_children_come_back_with_a_parent_that_was_deleted_twice(
    db: TestDb,
) -> Result<()> {
    for first_pushes_last in [false, true] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (a, b) = scene.pair().await?;
        let c = scene.device().await?;
        let profile = a.add_profile("Kids").await?;
        let list = a.add_list(profile, "Known to all").await?;
        a.add_item(list, "tt1").await?;
        scene.settled(&[&a, &b, &c]).await?;
        let list = a.add_list(profile, "Known to A").await?;
        a.add_item(list, "tt2").await?;
        a.sync().await?;
        a.sql("UPDATE profiles SET deleted_at = '2026-01-01 00:00:00'")
            .await?;
        b.sql("UPDATE profiles SET deleted_at = '2026-02-01 00:00:00'")
            .await?;
        let (first, last) = if first_pushes_last {
            (&b, &a)
        } else {
            (&a, &b)
        };
        first.sync().await?;
        last.sync().await?;
        scene.settled(&[&a, &b, &c]).await?;
        c.sql("UPDATE profiles SET deleted_at = NULL").await?;
        scene.settled(&[&c, &a, &b]).await?;
        for table in ["lists", "list_items"] {
            let live = format!("SELECT count(*) FROM {table} WHERE deleted_at IS NULL");
            assert_eq!(scene.one(&live).await?, "2", "{table}");
        }
    }
    Ok(())
}

async fn family(scene: &Scene) -> Result<()> {
    let old = now() - 90_000;
    let list =
        |id: &str, name: &str| new_row(id, old, json!({"profile_id": PROFILE, "name": name}));
    let item = new_row(
        ITEM,
        old,
        json!({"list_id": FROM, "meta_id": "tt1", "type": "movie"}),
    );
    let tables = json!([
        {"table": "profiles", "rows": [new_row(PROFILE, old, json!({"name": "Kids", "avatar": "x"}))]},
        {"table": "lists", "rows": [list(FROM, "From"), list(TO, "To")]},
        {"table": "list_items", "rows": [item]},
    ]);
    let (status, answer) = scene.push_by_hand(USER, 1, 1, tables).await?;
    assert_eq!(status, 200, "{answer}");
    Ok(())
}

fn edit(id: &str, register: &str, at: i64, value: Value) -> Value {
    json!({"remote_id": id, "changed": {register: at}, "row": {register: value}})
}

fn now() -> i64 {
    SystemClock.now_ms()
}

on_both_backends!(
    fk06_a_moved_child_outlives_its_old_parent_in_every_order,
    fk06_a_child_that_a_device_deleted_stays_deleted_in_every_order,
    de07_all_children_come_back_with_a_parent_that_was_deleted_twice,
);
