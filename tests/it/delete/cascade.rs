//! A profile goes with all that is in it, four levels down, in one step.

use anyhow::Result;
use sync_tests::{Fault, TestDb, on_both_backends};

use super::{ALL, HALF, live, newcomer, tree};

on_both_backends!(
    de05_a_profile_goes_with_all_that_is_in_it,
    de05_a_device_that_knows_more_of_it,
    de05_a_deletion_in_pushes_and_pages_of_one_row,
    de05_deleted_in_the_servers_own_database,
);

const DELETE: &str = "UPDATE profiles SET deleted_at = '2027-01-15 11:59:59' WHERE name = 'Anna'";

async fn de05_a_profile_goes_with_all_that_is_in_it(db: TestDb) -> Result<()> {
    for delete in [DELETE, "DELETE FROM profiles WHERE name = 'Anna'"] {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        a.at(-1_000, delete).await?;
        a.net.forget();
        a.sync().await?;
        assert_eq!(a.net.pushes().len(), 1);
        assert_eq!(live(&scene).await?, HALF, "{delete}: after one push");
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(live(&scene).await?, HALF);
        newcomer(&scene).await?;
    }
    Ok(())
}

/// B has added to what A deletes, and A does not know of it.
async fn de05_a_device_that_knows_more_of_it(db: TestDb) -> Result<()> {
    for b_first in [true, false] {
        for delete in [DELETE, "DELETE FROM profiles WHERE name = 'Anna'"] {
            let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
            a.at(-1_000, delete).await?;
            b.at(-2_000, "INSERT INTO lists (id, profile_id, name) SELECT 77, id, 'More' FROM profiles WHERE name = 'Anna';
                INSERT INTO list_items (list_id, meta_id, type) VALUES (77, 'tt7', 'movie'), (77, 'tt8', 'movie');
                INSERT INTO watch_history (profile_id, meta_id, meta_type) SELECT id, 'tt9', 'movie' FROM profiles WHERE name = 'Anna'").await?;
            let order = if b_first { [&b, &a] } else { [&a, &b] };
            for device in order {
                assert_eq!(device.sync().await?.n_rejected, 0);
            }
            scene.settled(&[&a, &b, &c]).await?;
            assert_eq!(live(&scene).await?, HALF, "{delete}");
            newcomer(&scene).await?;
        }
    }
    Ok(())
}

/// The answer to each push is lost once, and each page comes in the second attempt.
async fn de05_a_deletion_in_pushes_and_pages_of_one_row(db: TestDb) -> Result<()> {
    let (scene, [mut a, mut b, c]) = tree(db).await?;
    a.limit_rows(1, 1);
    b.limit_rows(1, 1);
    a.at(-1_000, DELETE).await?;
    for _ in 0..20 {
        a.net.on_push(Fault::LoseAnswer);
        b.net.plan_pulls([Fault::None, Fault::LoseAnswer]);
        let _ = (a.sync().await, b.sync().await);
        let broken = b.rows("SELECT * FROM pragma_foreign_key_check").await?;
        assert!(broken.is_empty(), "{broken:?}");
    }
    b.net.plan_pulls([]);
    while a.sync().await.is_err() {}
    scene.settled(&[&a, &b, &c]).await?;
    assert_eq!(live(&scene).await?, HALF);
    // All of it comes back as it went, by another device.
    b.at(-100, "UPDATE profiles SET deleted_at = NULL").await?;
    scene.settled(&[&b, &a, &c]).await?;
    assert_eq!(live(&scene).await?, ALL);
    newcomer(&scene).await
}

async fn de05_deleted_in_the_servers_own_database(db: TestDb) -> Result<()> {
    for delete in [
        "UPDATE profiles SET deleted_at = '2027-01-15 11:59:59+00:00' WHERE name = 'Anna'",
        "DELETE FROM profiles WHERE name = 'Anna'",
    ] {
        let (scene, [a, b, c]) = tree(TestDb::new(db.backend()).await?).await?;
        scene
            .sql("UPDATE sync_clock SET pinned_ms = 1800014399000")
            .await?;
        scene.sql(delete).await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(live(&scene).await?, HALF, "{delete}");
        newcomer(&scene).await?;
        if !delete.starts_with("DELETE") {
            scene.sql("UPDATE profiles SET deleted_at = NULL").await?;
            scene.settled(&[&a, &b, &c]).await?;
            assert_eq!(live(&scene).await?, ALL);
        }
    }
    Ok(())
}
