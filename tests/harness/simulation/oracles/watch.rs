//! What must hold all the time.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::texts;
use crate::simulation::world::World;

/// V7: how far every feed and every device had come when last looked at.
pub(crate) struct Watch {
    /// By account or device: the epoch and the position.
    positions: BTreeMap<String, (String, i64)>,
}

impl Watch {
    pub(crate) async fn new(world: &World) -> Result<Self> {
        Ok(Self {
            positions: positions(world).await?,
        })
    }

    /// Looks again.
    pub(crate) async fn look(&mut self, world: &World) -> Result<()> {
        let now = positions(world).await?;
        for (whose, (epoch, position)) in &self.positions {
            let (new_epoch, new) = now
                .get(whose)
                .with_context(|| format!("V7: {whose} is gone"))?;
            ensure!(
                new >= position && (epoch == new_epoch || *position == 0),
                "V7: {whose} went from {epoch}.{position} to {new_epoch}.{new}"
            );
        }
        self.positions = now;
        Ok(())
    }
}

async fn positions(world: &World) -> Result<BTreeMap<String, (String, i64)>> {
    let mut positions = BTreeMap::new();
    let heads = "SELECT user_id || '/' || CAST(head AS TEXT) AS text FROM sync_account";
    for line in texts(&world.server.db, heads).await? {
        let (user, head) = line.split_once('/').context("a head")?;
        positions.insert(user.to_owned(), (String::new(), head.parse()?));
    }
    for (number, device) in world.devices.iter().enumerate() {
        let cursor = "SELECT coalesce(cursor, '0') AS text FROM sync_state";
        let cursor = texts(&device.db()?, cursor)
            .await?
            .pop()
            .context("a cursor")?;
        let (epoch, position) = cursor.rsplit_once('.').unwrap_or(("", &cursor));
        let position = position.split('-').next().unwrap_or_default();
        positions.insert(format!("d{number}"), (epoch.to_owned(), position.parse()?));
    }
    Ok(positions)
}
