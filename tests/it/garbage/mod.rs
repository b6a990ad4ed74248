//! Tombstones are forgotten after a while, and no device is the worse for it.

mod ages;
mod away;
mod kept;
mod positions;
mod together;
mod under_way;

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use sync_core::{
    Clock, UuidV7,
    server::{Garbage, ServerDb, SyncServer},
};
use sync_tests::{Scene, SceneDevice};

/// The server forgets every tombstone that it has now.
async fn forget_all(scene: &Scene) -> Result<Garbage> {
    let engine = &scene.server.engine;
    Ok(engine.collect_aged(Duration::ZERO, &|| true).await?)
}

/// Another server process on the scene's database, with a clock of its own.
fn process(scene: &Scene, clock: Arc<dyn Clock>) -> Result<SyncServer> {
    let db = ServerDb {
        write: scene.server.db.clone(),
        read: scene.server.db.clone(),
    };
    Ok(SyncServer::new(
        db,
        entity::registry()?,
        clock,
        Arc::new(UuidV7),
    ))
}

/// A profile with lists of these names, each with an item.
async fn lists(device: &SceneDevice, names: &[&str]) -> Result<i64> {
    let profile = device.add_profile("Kids").await?;
    for name in names {
        let list = device.add_list(profile, name).await?;
        device.add_item(list, "tt1").await?;
    }
    Ok(profile)
}

async fn delete(device: &SceneDevice, list: &str) -> Result<()> {
    device
        .sql(&format!(
            "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = '{list}'"
        ))
        .await
}

/// The names of live lists.
const LISTS: &str = "SELECT name FROM lists WHERE deleted_at IS NULL ORDER BY name";

/// Live items with their lists.
const ITEMS: &str = "SELECT l.name, i.meta_id FROM list_items i JOIN lists l ON l.id = i.list_id
                     WHERE i.deleted_at IS NULL ORDER BY 1, 2";

/// What the account's feed knows of deleted rows.
const TOMBSTONES: &str = "SELECT tbl FROM sync_feed WHERE deleted_at IS NOT NULL ORDER BY tbl";

async fn horizon(scene: &Scene) -> Result<i64> {
    Ok(scene
        .one("SELECT horizon FROM sync_account")
        .await?
        .parse()?)
}
