//! What must hold all the time.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::texts;
use crate::simulation::world::World;

/// Stands for the position of a device that has begun at the beginning again.
const PULLS_ANEW: i64 = -1;

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
        let mut now = positions(world).await?;
        rejections_are_the_servers(world).await?;
        for (whose, position) in &self.positions {
            // Pulling anew, from the beginning; behind it the device is further than it was.
            if now.get(whose).is_some_and(|(_, seq)| *seq == PULLS_ANEW) {
                now.insert(whose.clone(), position.clone());
            }
        }
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
        let cursor = "SELECT CASE replacing WHEN 0 THEN coalesce(cursor, '0') ELSE '-1' END AS text FROM sync_state";
        let cursor = texts(&device.db()?, cursor)
            .await?
            .pop()
            .context("a cursor")?;
        if cursor == "-1" {
            positions.insert(format!("d{number}"), (String::new(), PULLS_ANEW));
            continue;
        }
        let (epoch, position) = cursor.rsplit_once('.').unwrap_or(("", &cursor));
        let position = position.split('-').next().unwrap_or_default();
        positions.insert(format!("d{number}"), (epoch.to_owned(), position.parse()?));
    }
    Ok(positions)
}

/// V9: a device holds only those rows for refused that the server has refused.
async fn rejections_are_the_servers(world: &World) -> Result<()> {
    let sql = "SELECT remote_id || ' ' || code AS text FROM sync_rejected";
    for (number, device) in world.devices.iter().enumerate() {
        for line in texts(&device.db()?, sql).await? {
            let (remote_id, code) = line.split_once(' ').context("a rejection")?;
            ensure!(
                world.has_refused(remote_id, code),
                "V9: d{number} holds {remote_id} for refused ({code}), which the server never said"
            );
        }
    }
    Ok(())
}
