//! Pushes and their answers, one for each verdict.

use anyhow::Result;
use serde_json::{Value, json};
use sync_tests::{TestDb, on_both_backends};

use super::world::{NOON, World, matches_snapshot};

on_both_backends!(
    new_rows_are_applied,
    changed_rows_say_only_what_changed,
    rows_that_are_gone,
    a_beaten_edit_is_merged,
    the_same_thing_is_merged_and_renamed,
    equal_values_are_unchanged,
    bad_rows_are_rejected,
);

const ROWS: &str = "
    INSERT INTO settings_profiles (user_id, name, tmdb_catalog_config) VALUES ('u1', 'Home', '{}');
    INSERT INTO profiles (user_id, name, avatar, settings_profile_id, is_default, created_at)
        VALUES ('u1', 'Änna \"A\"', 'a', 1, TRUE, '2026-02-01 10:00:00');
    INSERT INTO profile_addons (settings_profile_id, addon_id, created_at) SELECT 1, id, NULL FROM addons;
    INSERT INTO watch_history (profile_id, meta_id, meta_type, position, duration, is_watched, watched_at)
        VALUES (1, 'tt1', 'movie', 60, 5400, FALSE, '2026-02-01T10:00:00.123Z');
    INSERT INTO lists (profile_id, name, created_at) VALUES (1, 'Mine', NULL);
    INSERT INTO list_items (list_id, meta_id, type, imdb_rating, created_at) VALUES (1, 'tt1', 'movie', 7.5, NULL)";

async fn with_rows(database: TestDb) -> Result<World> {
    let world = World::new(database).await?;
    // The catalogue is each database's own, and says when it was made.
    world
        .device
        .sql("UPDATE addons SET created_at = NULL")
        .await?;
    world.device.sql(ROWS).await?;
    Ok(world)
}

async fn synced(database: TestDb) -> Result<World> {
    let world = with_rows(database).await?;
    world.device.sync().await?;
    Ok(world)
}

async fn new_rows_are_applied(database: TestDb) -> Result<()> {
    let world = with_rows(database).await?;
    matches_snapshot!("push_new_rows", world.said_in_sync().await?);
    Ok(())
}

async fn changed_rows_say_only_what_changed(database: TestDb) -> Result<()> {
    let world = synced(database).await?;
    world.device.sql("UPDATE watch_history SET position = 90; UPDATE profiles SET settings_profile_id = NULL").await?;
    world
        .device
        .sql("UPDATE lists SET deleted_at = '2026-02-02 10:00:00'")
        .await?;
    matches_snapshot!("push_changed_rows", world.said_in_sync().await?);
    Ok(())
}

async fn rows_that_are_gone(database: TestDb) -> Result<()> {
    let world = synced(database).await?;
    world.device.sql("DELETE FROM lists").await?;
    matches_snapshot!("push_gone_rows", world.said_in_sync().await?);
    Ok(())
}

/// A push by hand, with the next number and at noon.
async fn push(world: &World, push_no: i64, tables: Value) -> Result<Value> {
    let body = json!({ "protocol": 1, "push_no": push_no, "now": NOON, "tables": tables });
    world.ask("POST", "/api/sync/push", &body).await
}

async fn name_of(world: &World, table: &str) -> Result<String> {
    world
        .device
        .one(&format!("SELECT remote_id FROM {table}"))
        .await
}

async fn a_beaten_edit_is_merged(database: TestDb) -> Result<()> {
    let world = synced(database).await?;
    let late = json!([{ "table": "lists", "rows": [{
        "remote_id": name_of(&world, "lists").await?,
        "changed": { "name": NOON - 60_000, "is_default": NOON },
        "row": { "name": "Ours", "is_default": true },
    }]}]);
    matches_snapshot!("push_merged", push(&world, 1, late).await?);
    Ok(())
}

const NEW: &str = "0198c0de-0000-7000-8000-0000000000a1";

async fn the_same_thing_is_merged_and_renamed(database: TestDb) -> Result<()> {
    let world = synced(database).await?;
    let twin = json!([{ "table": "lists", "rows": [{
        "remote_id": NEW,
        "changed": { "*": NOON },
        "row": { "profile_id": name_of(&world, "profiles").await?, "name": "Mine", "is_default": false, "created_at": null,
            "deleted_at": null },
    }]}]);
    matches_snapshot!("push_merged_and_renamed", push(&world, 1, twin).await?);
    Ok(())
}

async fn equal_values_are_unchanged(database: TestDb) -> Result<()> {
    let world = synced(database).await?;
    let same = json!([{ "table": "lists", "rows": [{
        "remote_id": name_of(&world, "lists").await?,
        "changed": { "name": NOON - 60_000 },
        "row": { "name": "Mine" },
    }]}]);
    matches_snapshot!("push_unchanged", push(&world, 1, same).await?);
    Ok(())
}

async fn bad_rows_are_rejected(database: TestDb) -> Result<()> {
    let world = synced(database).await?;
    let profile = name_of(&world, "profiles").await?;
    let list = |remote_id: &str, row: Value| json!({ "remote_id": remote_id, "changed": { "*": NOON }, "row": row });
    let id = |n: u32| format!("0198c0de-0000-7000-8000-0000000000b{n}");
    let rows = json!([
        list("17", json!({ "name": "not a name of a row" })),
        list(&id(1), json!({ "profile_id": profile, "name": "unknown column", "color": "red" })),
        list(&id(2), json!({ "profile_id": profile })),
        list(&id(3), json!({ "profile_id": profile, "name": 7 })),
        list(&id(4), json!({ "profile_id": NEW, "name": "unknown parent" })),
        { "remote_id": id(5), "changed": { "name": NOON }, "row": { "name": "unknown id" } },
        { "remote_id": id(6), "changed": { "name": NOON }, "row": {} },
        list(&id(7), json!({ "profile_id": profile, "name": "twice" })),
        list(&id(7), json!({ "profile_id": profile, "name": "twice" })),
        { "changed": {}, "row": {} },
    ]);
    let item = list(
        &id(8),
        json!({ "list_id": id(1), "meta_id": "tt1", "type": "movie" }),
    );
    let tables = json!([
        { "table": "lists", "rows": rows },
        { "table": "list_items", "rows": [item] },
        { "table": "users", "rows": [list(&id(9), json!({}))] },
    ]);
    matches_snapshot!("push_rejected", push(&world, 1, tables).await?);
    Ok(())
}
