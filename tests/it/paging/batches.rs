//! More to push than one request takes, in rows and in bytes.

use anyhow::Result;
use serde_json::Value;
use sync_core::device::BatchLimits;
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

on_both_backends!(
    pg14_more_rows_than_a_push_takes,
    pg14_more_bytes_than_a_push_takes,
    pg15_one_row_that_is_too_large,
);

fn limited(device: &mut SceneDevice, limits: BatchLimits) {
    device.device.device = device.device.device.clone().with_limits(limits);
}

async fn family(device: &SceneDevice) -> Result<()> {
    for number in 0..4 {
        let profile = device.add_profile(&format!("P{number}")).await?;
        for list in 0..3 {
            let list = device.add_list(profile, &format!("L{list}")).await?;
            for item in 0..3 {
                device.add_item(list, &format!("tt{item}")).await?;
            }
        }
    }
    Ok(())
}

const N_ROWS: usize = 4 + 12 + 36;

fn rows(push: &Value) -> Vec<(String, Value)> {
    let tables = push["tables"].as_array().cloned().unwrap_or_default();
    let each = tables.iter().flat_map(|table| {
        let name = table["table"].as_str().unwrap_or_default().to_owned();
        let rows = table["rows"].as_array().cloned().unwrap_or_default();
        rows.into_iter().map(move |row| (name.clone(), row))
    });
    each.collect()
}

/// Checks that no row is sent before the row it refers to.
fn parents_first(pushes: &[Value]) {
    let mut sent = Vec::new();
    for (table, row) in pushes.iter().flat_map(rows) {
        for parent in ["profile_id", "list_id"] {
            if let Some(parent) = row["row"][parent].as_str() {
                assert!(
                    sent.contains(&parent.to_owned()),
                    "a row of {table} before its parent"
                );
            }
        }
        sent.push(row["remote_id"].as_str().unwrap_or_default().to_owned());
    }
}

async fn pg14_more_rows_than_a_push_takes(db: TestDb) -> Result<()> {
    for (push_rows, lost) in [(1, 20), (5, 3), (13, 1)] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (mut a, b) = scene.pair().await?;
        a.limit_rows(push_rows, 1_000);
        family(&a).await?;
        for _ in 0..lost {
            a.net.on_push(Fault::None);
        }
        a.net.on_push(Fault::LoseRequest);
        assert!(a.sync().await.is_err());
        assert_eq!(
            a.dirty().await?.len(),
            N_ROWS - lost * push_rows,
            "what was answered is settled"
        );
        a.sync().await?;
        let pushes = a.net.pushes();
        assert!(pushes.iter().all(|push| rows(push).len() <= push_rows));
        assert_eq!(pushes.len(), N_ROWS.div_ceil(push_rows) + 1);
        parents_first(&pushes);
        scene.settled(&[&a, &b]).await?;
    }
    Ok(())
}

async fn pg14_more_bytes_than_a_push_takes(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (mut a, b) = scene.pair().await?;
    limited(
        &mut a,
        BatchLimits {
            push_bytes: 2_000,
            ..BatchLimits::default()
        },
    );
    family(&a).await?;
    a.sync().await?;
    let pushes = a.net.pushes();
    assert!(pushes.len() > 4, "{} pushes", pushes.len());
    for request in a
        .net
        .requests()
        .iter()
        .filter(|r| r.method() == http::Method::POST)
    {
        let n = request.body().len();
        assert!(n < 3_000, "a push of {n} bytes");
    }
    parents_first(&pushes);
    scene.settled(&[&a, &b]).await
}

/// PG15: it and what belongs to it wait, the others go; made smaller, it goes, too.
async fn pg15_one_row_that_is_too_large(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    family(&a).await?;
    scene.settled(&[&a, &b]).await?;
    let huge = format!(
        "UPDATE list_items SET title = '{}' WHERE id = 7",
        "x".repeat(2 << 20)
    );
    a.sql(&huge).await?;
    a.sql("UPDATE list_items SET title = 'fine' WHERE id <> 7")
        .await?;
    a.sync().await?;
    assert_eq!(a.rejected().await?, ["list_items 7 row_too_large"]);
    assert_eq!(a.dirty().await?, ["list_items 7"]);
    assert_eq!(
        scene
            .one("SELECT count(*) FROM list_items WHERE title = 'fine'")
            .await?,
        "35"
    );
    b.sync().await?;
    assert_eq!(
        b.one("SELECT count(*) FROM list_items WHERE title = 'fine'")
            .await?,
        "35"
    );
    a.sql("UPDATE list_items SET title = 'small' WHERE id = 7")
        .await?;
    scene.settled(&[&a, &b]).await
}
