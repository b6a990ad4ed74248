//! A device is in the middle of its first pull, or of a replacement, while the server forgets.

use anyhow::Result;
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

use super::{LISTS, delete, forget_all, lists};

on_both_backends!(
    gc_a_first_pull_that_was_cut_off_ends_well,
    gc_a_replacement_that_was_cut_off_ends_well,
);

const NAMES: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

/// What it has of the first pages is deleted and forgotten before it asks for more.
async fn gc_a_first_pull_that_was_cut_off_ends_well(db: TestDb) -> Result<()> {
    for forgotten_before in [false, true] {
        for n_pages in 1..4 {
            let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
            let (a, mut b) = scene.pair().await?;
            lists(&a, &NAMES).await?;
            a.sync().await?;
            if forgotten_before {
                delete(&a, "6").await?;
                a.sync().await?;
                forget_all(&scene).await?;
            }
            cut_off(&mut b, n_pages).await?;
            deleted_and_forgotten(&scene, &a).await?;
            // What it has made meanwhile is its own.
            b.add_profile("Mine").await?;
            scene.settled(&[&b, &a]).await?;
            let left = if forgotten_before { 3 } else { 4 };
            assert_eq!(b.rows(LISTS).await?.len(), left);
        }
    }
    Ok(())
}

async fn gc_a_replacement_that_was_cut_off_ends_well(db: TestDb) -> Result<()> {
    for n_pages in 1..4 {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (a, mut b) = scene.pair().await?;
        lists(&a, &NAMES).await?;
        scene.settled(&[&a, &b]).await?;
        delete(&a, "6").await?;
        a.sync().await?;
        forget_all(&scene).await?;
        // The refusal comes first.
        cut_off(&mut b, n_pages + 1).await?;
        deleted_and_forgotten(&scene, &a).await?;
        b.add_profile("Mine").await?;
        scene.settled(&[&b, &a]).await?;
        assert_eq!(b.rows(LISTS).await?, ["3", "4", "5"]);
    }
    Ok(())
}

async fn deleted_and_forgotten(scene: &Scene, device: &SceneDevice) -> Result<()> {
    for name in ["1", "2"] {
        delete(device, name).await?;
    }
    device.sync().await?;
    forget_all(scene).await?;
    Ok(())
}

/// Lets so many answers through, then none.
async fn cut_off(device: &mut SceneDevice, n_pulls: usize) -> Result<()> {
    device.limit_rows(1_000, 3);
    device.net.plan_pulls((0..n_pulls).map(|_| Fault::None));
    device.net.on_pull(Fault::LoseAnswer);
    anyhow::ensure!(device.sync().await.is_err());
    Ok(())
}
