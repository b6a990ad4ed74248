//! Rows that are on both sides and have no common ancestor any more: after a reset, all are sent again.

use anyhow::Result;
use sync_core::device::Restart;
use sync_tests::{TestDb, on_both_backends};

use super::family;

on_both_backends!(
    cf14_rows_without_a_base_are_united,
    cf14_an_untouched_device_brings_nothing_old_back,
);

/// CF14: A forgot what it had synced. What only one of them edited is kept, what both did goes by time.
async fn cf14_rows_without_a_base_are_united(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    b.at(-3_000, "UPDATE list_items SET poster = 'B', title = 'B'")
        .await?;
    b.sync().await?;
    a.at(-2_000, "UPDATE list_items SET title = 'A', imdb_rating = 5")
        .await?;
    a.device.device.restart(Restart::KeepMine).await?;
    a.net.forget();
    a.sync().await?;
    assert_eq!(a.net.pushes().len(), 1, "pushed once");
    scene.settled(&[&a, &b, &c]).await?;
    for device in [&a, &b, &c] {
        let row = device
            .one("SELECT title, poster, imdb_rating FROM list_items")
            .await?;
        assert_eq!(row, "A|B|5.0");
    }
    Ok(())
}

/// The same for a device that edited nothing: what others wrote since is later than all it has.
async fn cf14_an_untouched_device_brings_nothing_old_back(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    b.at(
        -3_000,
        "UPDATE profiles SET name = 'B'; UPDATE lists SET name = 'B'",
    )
    .await?;
    b.at(
        -2_000,
        "UPDATE list_items SET deleted_at = '2027-01-15 11:59:58'",
    )
    .await?;
    b.sync().await?;
    a.device.device.restart(Restart::KeepMine).await?;
    a.sync().await?;
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(
        scene
            .one("SELECT p.name || l.name FROM profiles p, lists l")
            .await?,
        "BB"
    );
    let live = scene
        .one("SELECT count(*) FROM list_items WHERE deleted_at IS NULL")
        .await?;
    assert_eq!(live, "0");
    Ok(())
}
