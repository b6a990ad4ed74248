//! The server refuses the account, wholly or for now: nothing here is lost, and what may go on goes on.

use anyhow::Result;
use serde_json::json;
use sync_core::{SyncError, protocol::Limits};
use sync_tests::{Fault, Scene, TestDb, on_both_backends};

use crate::conflict::family;

on_both_backends!(
    at02_a_token_that_ends_in_the_middle_of_a_pull,
    at03_a_token_that_ends_in_the_middle_of_a_push,
    at10_an_account_over_its_quota_still_pulls,
    at10_rows_over_the_quota_wait_until_there_is_room,
    at10_a_push_that_is_too_large_whatever_it_holds,
);

fn refusal(status: u16, code: &str) -> Fault {
    let body = json!({"code": code, "message": "refused by the test"});
    Fault::AnswerInstead(status, body.to_string().into_bytes())
}

/// AT02: five pages of ten came, and stay.
async fn at02_a_token_that_ends_in_the_middle_of_a_pull(db: TestDb) -> Result<()> {
    let (scene, [a, _, _]) = family(db).await?;
    for number in 0..12 {
        a.at(
            number * 1_000 - 60_000,
            &format!("INSERT INTO lists (profile_id, name) VALUES (1, 'L{number}')"),
        )
        .await?;
    }
    a.sync().await?;
    let mut late = scene.device().await?;
    late.limit_rows(1_000, 2);
    late.net.plan_pulls(
        (0..5)
            .map(|_| Fault::None)
            .chain([refusal(401, "token_expired")]),
    );
    let refused = late.sync().await;
    assert!(
        matches!(refused, Err(SyncError::Unauthorized)),
        "{refused:?}"
    );
    let (cursor, n) = (
        late.cursor().await?,
        late.one("SELECT count(*) FROM lists").await?,
    );
    assert!(cursor.is_some() && n != "0");
    assert!(late.status().await?.last_error.is_some());
    late.net.forget();
    late.sync().await?;
    assert!(
        late.net.pulls()[0].contains(cursor.as_deref().unwrap_or_default()),
        "it goes on where it was"
    );
    assert_eq!(late.status().await?.last_error, None);
    scene.settled(&[&late, &a]).await
}

async fn at03_a_token_that_ends_in_the_middle_of_a_push(db: TestDb) -> Result<()> {
    let (scene, [mut a, b, c]) = family(db).await?;
    a.limit_rows(2, 1_000);
    for number in 0..6 {
        a.at(
            number * 1_000 - 60_000,
            &format!("INSERT INTO lists (profile_id, name) VALUES (1, 'L{number}')"),
        )
        .await?;
    }
    a.net.on_push(Fault::None);
    a.net.on_push(refusal(401, "token_expired"));
    assert!(a.sync().await.is_err());
    assert_eq!(
        (
            a.dirty().await?.len(),
            scene.one("SELECT count(*) FROM lists").await?.as_str()
        ),
        (4, "3")
    );
    scene.settled(&[&a, &b, &c]).await
}

async fn at10_an_account_over_its_quota_still_pulls(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    b.at(-2_000, "UPDATE profiles SET name = 'Of B'").await?;
    b.sync().await?;
    a.at(-1_000, "UPDATE lists SET name = 'Of A'").await?;
    let dirty = a.dirty().await?;
    a.net.on_push(refusal(403, "over_quota"));
    let refused = a.sync().await;
    assert!(
        matches!(refused, Err(SyncError::Refused { status: 403, ref code, .. }) if code == "over_quota"),
        "{refused:?}"
    );
    assert_eq!(a.dirty().await?, dirty, "rows stay dirty");
    a.pull().await?;
    assert_eq!(a.one("SELECT name FROM profiles").await?, "Of B");
    assert_eq!(a.dirty().await?, dirty);
    scene.settled(&[&a, &b, &c]).await
}

async fn at10_rows_over_the_quota_wait_until_there_is_room(db: TestDb) -> Result<()> {
    let mut scene = Scene::at_noon(db).await?;
    let limits = Limits {
        account_rows: Some(4),
        ..Limits::default()
    };
    scene.server.engine = scene.server.engine.clone().with_limits(limits);
    let (a, b) = scene.pair().await?;
    let list = a.add_list(a.add_profile("Anna").await?, "One").await?;
    for title in ["first", "second", "third"] {
        a.add_item(list, title).await?;
    }
    a.sync().await?;
    let rejected = a.rejected().await?;
    assert!(
        rejected.len() == 1 && rejected[0].ends_with("account_full"),
        "{rejected:?}"
    );
    // What is there can be edited, and others go on.
    a.at(-2_000, "UPDATE lists SET name = 'Of A'").await?;
    a.sync().await?;
    b.sync().await?;
    assert_eq!(b.one("SELECT name FROM lists").await?, "Of A");
    b.at(-1_000, "UPDATE list_items SET deleted_at = '2027-01-15 11:59:59' WHERE id = (SELECT min(id) FROM list_items)")
        .await?;
    b.sync().await?;
    a.sync().await?;
    assert!(a.rejected().await?.is_empty());
    scene.settled(&[&a, &b]).await
}

/// 413 for whatever is sent: each row is set aside by itself, the pull goes on, and all goes again.
async fn at10_a_push_that_is_too_large_whatever_it_holds(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    b.at(-2_000, "UPDATE profiles SET name = 'Of B'").await?;
    b.sync().await?;
    a.at(-1_000, "UPDATE lists SET name = 'Of A'; UPDATE list_items SET title = 'Of A'; UPDATE watch_history SET title = 'Of A'").await?;
    for _ in 0..20 {
        a.net.on_push(refusal(413, "body_too_large"));
    }
    a.sync().await?;
    assert_eq!(a.dirty().await?.len(), 3);
    assert_eq!(a.one("SELECT name FROM profiles").await?, "Of B");
    let rejected = a.rejected().await?;
    assert!(
        rejected.len() == 3 && rejected.iter().all(|row| row.ends_with("row_too_large")),
        "{rejected:?}"
    );
    // Until the server takes them.
    while !a.dirty().await?.is_empty() {
        a.sync().await?;
    }
    scene.settled(&[&a, &b, &c]).await
}
