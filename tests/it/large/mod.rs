//! Many rows at once. Smaller than a real household's most, so that they run with every change; the
//! benchmark has the large numbers.

mod deleted;
mod devices;
mod first_sync;
mod meanwhile;

use anyhow::Result;
use sync_tests::SceneDevice;

/// Adds so many titles to the history of profile 1.
pub(crate) async fn watch(device: &SceneDevice, n: u32) -> Result<()> {
    device
        .sql(&format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {n})
             INSERT INTO watch_history (profile_id, meta_id, meta_type, position) SELECT 1, 'tt' || n, 'movie', n FROM n"
        ))
        .await
}
