//! Merging the merged comes to an end, also while both sides go on writing.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::family;

on_both_backends!(
    cf27_two_that_merge_each_other_fall_silent,
    cf28_the_last_edit_of_each_field_stays,
);

async fn cf27_two_that_merge_each_other_fall_silent(db: TestDb) -> Result<()> {
    let (scene, [a, b, _]) = family(db).await?;
    a.at(
        -2_000,
        "UPDATE profiles SET name = 'A', avatar = 'A'; UPDATE lists SET is_default = 1",
    )
    .await?;
    b.at(
        -1_000,
        "UPDATE profiles SET name = 'B', avatar_type = 'B'; UPDATE lists SET name = 'B'",
    )
    .await?;
    let mut heads = Vec::new();
    for round in 1..=5 {
        for device in [&a, &b] {
            device.net.forget();
            device.sync().await?;
            let pushes = device.net.pushes().len();
            assert!(round < 3 || pushes == 0, "{pushes} pushes in round {round}");
        }
        heads.push(scene.head().await?);
    }
    assert_eq!(heads[2..], [heads[1]; 3], "the feed moves by itself");
    Ok(())
}

/// CF28: thirty edits each, with syncs of both between them in no order.
async fn cf28_the_last_edit_of_each_field_stays(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    let fields = ["title", "poster", "type"];
    let mut last = [""; 3].map(str::to_owned);
    for number in 0..60_usize {
        let (device, who) = if number % 2 == 0 {
            (&a, "A")
        } else {
            (&b, "B")
        };
        let field = number * 7 % 3;
        last[field] = format!("{who}{number}");
        let sql = format!(
            "UPDATE list_items SET {} = '{}'",
            fields[field], last[field]
        );
        device
            .at(i64::try_from(number)? * 1_000 - 100_000, &sql)
            .await?;
        if number % 5 < 2 {
            a.sync().await?;
        }
        if number % 7 < 2 {
            b.sync().await?;
        }
    }
    scene.settled(&[&a, &b, &c]).await?;
    let there = scene
        .one("SELECT title || '|' || poster || '|' || type FROM list_items")
        .await?;
    assert_eq!(there, last.join("|"));
    Ok(())
}
