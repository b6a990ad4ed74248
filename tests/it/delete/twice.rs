//! A deletion that comes again, and one of a row that nobody knows.

use anyhow::{Context, Result};
use serde_json::json;
use sync_tests::{NOON, TestDb, on_both_backends, scene::USER};

use super::tree;

on_both_backends!(
    de12_a_deletion_that_comes_again_changes_nothing,
    de13_a_deletion_of_an_unknown_row_is_none,
);

/// DE12: the very push again, now and later, and the same tombstone in a push of its own.
async fn de12_a_deletion_that_comes_again_changes_nothing(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    a.at(
        -3_000,
        "UPDATE lists SET deleted_at = '2027-01-15 11:59:57' WHERE name = 'One'",
    )
    .await?;
    a.net.forget();
    a.sync().await?;
    let (head, there) = (scene.head().await?, scene.account(USER).await?);
    let request = a.net.requests().into_iter().next().context("no push")?;
    let push: serde_json::Value = serde_json::from_slice(request.body())?;
    for _ in 0..2 {
        let answer = a.net.deliver(request.clone()).await?;
        assert_eq!(answer.status(), 200);
    }
    for push_no in 100..102 {
        let (status, answer) = scene
            .push_by_hand(USER, a.number, push_no, push["tables"].clone())
            .await?;
        assert_eq!(status, 200);
        for table in answer["tables"].as_array().context("no tables")? {
            for row in table["rows"].as_array().context("no rows")? {
                assert_eq!(row["verdict"], "unchanged", "{row}");
            }
        }
    }
    assert_eq!(scene.head().await?, head);
    assert_eq!(
        scene.account(USER).await?,
        there,
        "the first deletion's time stays"
    );
    scene.settled(&[&b, &c]).await
}

async fn de13_a_deletion_of_an_unknown_row_is_none(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = tree(db).await?;
    let (head, there) = (scene.head().await?, scene.account(USER).await?);
    let name = "0190a6e0-0000-7000-8000-0000000000ff";
    for (push_no, row) in (100..).zip([
        json!({"remote_id": name, "changed": {"deleted_at": NOON - 5_000}, "row": {"deleted_at": "2027-01-15T11:59:55.000Z"}}),
        json!({"remote_id": name, "changed": {"*": NOON - 5_000}, "row": {"list_id": name, "meta_id": "x", "type": "y",
               "deleted_at": "2027-01-15T11:59:55.000Z"}}),
    ]) {
        let tables = json!([{"table": "list_items", "rows": [row]}]);
        let (status, answer) = scene.push_by_hand(USER, 7, push_no, tables).await?;
        assert_eq!((status, &answer["tables"][0]["rows"][0]["verdict"]), (200, &json!("unchanged")));
    }
    assert_eq!(
        (scene.head().await?, scene.account(USER).await?),
        (head, there)
    );
    scene.settled(&[&a, &b, &c]).await
}
