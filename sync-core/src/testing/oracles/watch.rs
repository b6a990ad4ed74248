//! What must hold all the time.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::texts;
use crate::testing::{device::lock, ledger::Place, world::World};

/// Stands for the position of a device that has begun at the beginning again.
const PULLS_ANEW: i64 = -1;

/// V7: how far every feed and every device had come when last looked at.
pub(crate) struct Watch {
    /// By account or device: the epoch and the position.
    positions: BTreeMap<String, (String, i64)>,
}

impl Watch {
    pub(crate) async fn new(world: &World) -> Result<Self> {
        let devices = (0..world.devices.len()).map(Place::Device);
        let all: Vec<Place> = devices.chain([Place::Server]).collect();
        Ok(Self {
            positions: positions(world, &all).await?,
        })
    }

    /// Looks again at what may have changed.
    pub(crate) async fn look(&mut self, world: &World) -> Result<()> {
        let touched: Vec<Place> = std::mem::take(&mut *lock(&world.touched))
            .into_iter()
            .collect();
        let now = positions(world, &touched).await?;
        rejections_are_the_servers(world, &touched).await?;
        for (whose, (new_epoch, new)) in now {
            // Pulling anew, from the beginning; behind it the device is further than it was.
            if new == PULLS_ANEW {
                continue;
            }
            let known = self
                .positions
                .insert(whose.clone(), (new_epoch.clone(), new));
            let Some((epoch, position)) = known else {
                continue;
            };
            ensure!(
                new >= position && (epoch == new_epoch || position == 0),
                "V7: {whose} went from {epoch}.{position} to {new_epoch}.{new}"
            );
        }
        Ok(())
    }
}

async fn positions(world: &World, places: &[Place]) -> Result<BTreeMap<String, (String, i64)>> {
    let mut positions = BTreeMap::new();
    for place in places {
        match place {
            Place::Server => positions.extend(heads(world).await?),
            Place::Device(number) => {
                positions.insert(format!("d{number}"), cursor(world, *number).await?);
            }
        }
    }
    Ok(positions)
}

async fn heads(world: &World) -> Result<Vec<(String, (String, i64))>> {
    let heads = "SELECT user_id || '/' || CAST(head AS TEXT) AS text FROM sync_account";
    let heads = texts(world.server.db(), heads).await?;
    let head = |line: &String| {
        let (user, head) = line.rsplit_once('/').context("a head")?;
        Ok((user.to_owned(), (String::new(), head.parse()?)))
    };
    heads.iter().map(head).collect()
}

async fn cursor(world: &World, number: usize) -> Result<(String, i64)> {
    let sql = "SELECT CASE replacing WHEN 0 THEN coalesce(cursor, '0') ELSE '-1' END AS text FROM sync_state";
    let cursor = texts(&world.devices[number].db()?, sql).await?;
    let cursor = cursor.first().context("a cursor")?;
    if cursor == "-1" {
        return Ok((String::new(), PULLS_ANEW));
    }
    let (epoch, position) = cursor.rsplit_once('.').unwrap_or(("", cursor));
    // Behind a tilde stands where a pull from the beginning began.
    let epoch = epoch.split('~').next().unwrap_or_default();
    let position = position.split('-').next().unwrap_or_default();
    Ok((epoch.to_owned(), position.parse()?))
}

/// V9: a device holds only those rows for refused that the server has refused.
async fn rejections_are_the_servers(world: &World, places: &[Place]) -> Result<()> {
    let sql = "SELECT remote_id || ' ' || code AS text FROM sync_rejected";
    for place in places {
        let Place::Device(number) = place else {
            continue;
        };
        for line in texts(&world.devices[*number].db()?, sql).await? {
            let (remote_id, code) = line.split_once(' ').context("a rejection")?;
            ensure!(
                world.has_refused(remote_id, code),
                "V9: d{number} holds {remote_id} for refused ({code}), which the server never said"
            );
        }
    }
    Ok(())
}
