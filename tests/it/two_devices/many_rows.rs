//! More rows than go over the wire at once.

use std::sync::Mutex;

use anyhow::{Result, ensure};
use sync_core::{SyncEvent, device::BatchLimits};
use sync_tests::{HttpServer, TestDb, TestDevice, account::Origin, on_both_backends};

use super::{all_agree, pair};

on_both_backends!(five_thousand_rows_travel_in_pages);

/// Lists with many items, and a parent that is the last to be made.
const MANY: &str = "
    INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, 'Anna', 'a' FROM sync_state;
    INSERT INTO lists (profile_id, name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
      SELECT p.id, 'List ' || i FROM profiles p, n;
    INSERT INTO list_items (list_id, meta_id, type, title)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
      SELECT l.id, 'tt' || i, 'movie', 'Title ' || i FROM lists l, n;
    UPDATE profiles SET avatar = 'b'";

async fn five_thousand_rows_travel_in_pages(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (mut a, mut b) = pair(&server, Origin::Fresh, Origin::Fresh).await?;
    for device in [&mut a, &mut b] {
        let limits = BatchLimits {
            push_rows: 700,
            page_rows: 300,
            ..BatchLimits::default()
        };
        device.device = device.device.clone().with_limits(limits);
    }
    a.sql(MANY).await?;
    let (pushed, _) = batches(&a).await?;
    ensure!(
        pushed == [700, 700, 700, 700, 700, 700, 700, 111],
        "pushed {pushed:?}"
    );
    let (_, pulled) = batches(&b).await?;
    ensure!(pulled.iter().sum::<u64>() == 5_011, "pulled {pulled:?}");
    ensure!(
        pulled.len() >= 17 && pulled.iter().all(|n| *n <= 300),
        "pulled {pulled:?}"
    );
    all_agree(&server, &[&a, &b]).await?;

    // And all of them again, from the other side.
    b.sql("UPDATE list_items SET title = title || '!'; UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'List 1'")
        .await?;
    let (pushed, _) = batches(&b).await?;
    ensure!(pushed.iter().sum::<u64>() == 5_001, "pushed {pushed:?}");
    batches(&a).await?;
    all_agree(&server, &[&a, &b]).await?;
    let live = a
        .one("SELECT count(*) FROM list_items WHERE deleted_at IS NULL AND title LIKE 'Title %!'")
        .await?;
    ensure!(live == "4500", "{live} live items");
    Ok(())
}

/// The sizes of what one sync sends and fetches.
async fn batches(device: &TestDevice) -> Result<(Vec<u64>, Vec<u64>)> {
    let seen = Mutex::new((Vec::new(), Vec::new()));
    let observe = |event: SyncEvent| {
        let mut seen = seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            SyncEvent::Pushed { n_rows } => seen.0.push(n_rows),
            SyncEvent::Pulled { n_rows, .. } => seen.1.push(n_rows),
            _ => {}
        }
    };
    device.device.sync(&*device.transport, &observe).await?;
    Ok(seen.into_inner()?)
}
