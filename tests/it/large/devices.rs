//! A household of devices that all edit the same rows.

use anyhow::Result;
use sync_tests::{Scene, TestDb, on_both_backends};

use super::watch;

on_both_backends!(lg07_many_devices_edit_the_same_rows);

/// Twenty devices with ten edits each, on 150 rows: they agree after two rounds.
async fn lg07_many_devices_edit_the_same_rows(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let first = scene.device().await?;
    first.add_profile("Anna").await?;
    watch(&first, 150).await?;
    first.sync().await?;
    let mut devices = vec![first];
    for _ in 1..20 {
        let device = scene.device().await?;
        device.sync().await?;
        devices.push(device);
    }
    for (who, device) in devices.iter().enumerate() {
        for edit in 0..10 {
            let row = (who * 31 + edit * 17) % 150 + 1;
            let sql = match edit % 3 {
                0 => format!("UPDATE watch_history SET position = {who} WHERE meta_id = 'tt{row}'"),
                1 => {
                    format!("UPDATE watch_history SET title = 'by {who}' WHERE meta_id = 'tt{row}'")
                }
                _ => format!(
                    "INSERT INTO lists (profile_id, name) VALUES (1, 'L{row}') ON CONFLICT DO NOTHING"
                ),
            };
            device.sql(&sql).await?;
        }
        if who % 3 == 0 {
            device.sync().await?;
        }
    }
    let devices: Vec<_> = devices.iter().collect();
    scene.settled(&devices).await
}
