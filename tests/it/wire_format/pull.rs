//! Pages of the change feed, and what the server tells of itself.

use anyhow::Result;
use serde_json::Value;
use sync_tests::{TestDb, on_both_backends};

use super::world::{World, matches_snapshot};

on_both_backends!(
    a_page_has_rows_by_table,
    a_tombstone_is_all_that_is_left,
    the_last_page_is_empty,
    info
);

async fn synced(database: TestDb) -> Result<World> {
    let world = World::new(database).await?;
    world
        .device
        .sql(
            "INSERT INTO profiles (user_id, name, avatar, created_at) VALUES ('u1', 'Anna', 'a', '2026-02-01 10:00:00');
             INSERT INTO lists (profile_id, name, created_at) VALUES (1, 'Mine', NULL), (1, 'Later', NULL);
             INSERT INTO list_items (list_id, meta_id, type, imdb_rating, created_at) VALUES (1, 'tt1', 'movie', 7, NULL)",
        )
        .await?;
    world.device.sync().await?;
    Ok(world)
}

async fn pull(world: &World, query: &str) -> Result<Value> {
    world
        .ask("GET", &format!("/api/sync/pull?{query}"), &Value::Null)
        .await
}

async fn a_page_has_rows_by_table(database: TestDb) -> Result<()> {
    let world = synced(database).await?;
    matches_snapshot!("pull_page", pull(&world, "cursor=&limit=3").await?);
    Ok(())
}

async fn a_tombstone_is_all_that_is_left(database: TestDb) -> Result<()> {
    let world = synced(database).await?;
    world.device.sql("DELETE FROM lists WHERE name = 'Later'; UPDATE lists SET deleted_at = '2026-02-02 10:00:00'").await?;
    world.device.sync().await?;
    matches_snapshot!("pull_tombstones", pull(&world, "limit=100").await?);
    Ok(())
}

async fn the_last_page_is_empty(database: TestDb) -> Result<()> {
    let world = synced(database).await?;
    let first = pull(&world, "limit=100").await?;
    let cursor = first["body"]["cursor"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    matches_snapshot!(
        "pull_nothing_new",
        pull(&world, &format!("cursor={cursor}")).await?
    );
    Ok(())
}

async fn info(database: TestDb) -> Result<()> {
    let world = World::new(database).await?;
    let info = world
        .server
        .engine
        .info()
        .await
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    matches_snapshot!("info", info);
    Ok(())
}
