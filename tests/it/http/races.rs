//! Section 3.5 of the attacks: requests that come at once, late, or twice.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use sync_tests::{TestDb, on_both_backends};

use super::world::{Answer, World, edit, now, push_body, row, stranger};

on_both_backends!(
    r01_two_pushes_to_one_row_at_once,
    r04_a_push_of_yesterday,
    r05_two_accounts_of_one_name,
    r07_two_pushes_that_touch_rows_in_opposite_order,
    r10_j34_one_push_from_two_connections_at_once,
);

/// A second device of Ann's.
async fn second_token(world: &World) -> Result<String> {
    world.server.token("ann@example.org").await
}

async fn head(world: &World) -> Result<i64> {
    let user = &world.ann.user_id;
    let sql =
        format!("SELECT CAST(head AS TEXT) AS text FROM sync_account WHERE user_id = '{user}'");
    Ok(world.rows(&sql).await?[0].parse()?)
}

async fn r01_two_pushes_to_one_row_at_once(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let other = second_token(&world).await?;
    let before = head(&world).await?;
    for round in 0..20 {
        let of_profile = |column: &str| {
            json!([{"table": "profiles", "rows": [
                edit(&world.ann.profile, json!({column: format!("{column} {round}")}))
            ]}])
        };
        let (one, two) = (of_profile("name"), of_profile("avatar"));
        let (first, second) = tokio::join!(
            world.push(&world.ann, round + 2, one),
            world.push_as(&other, round + 1, two)
        );
        for answer in [first?, second?] {
            ensure!(
                ["applied", "merged"].contains(&answer.verdicts()[0].as_str()),
                "{answer:?}"
            );
        }
    }
    let last = world
        .rows("SELECT name || ', ' || avatar AS text FROM profiles ORDER BY 1")
        .await?;
    ensure!(last.contains(&"name 19, avatar 19".to_owned()), "{last:?}");
    ensure!(
        head(&world).await? == before + 40,
        "no position is left out"
    );
    Ok(())
}

/// The last push once more is answered as it was; an earlier one is refused. Neither changes anything.
async fn r04_a_push_of_yesterday(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let begun = now();
    let push = |push_no: i64, name: &str| {
        let row = json!({"remote_id": world.ann.list, "changed": {"name": begun + push_no - 10}, "row": {"name": name}});
        push_body(push_no, json!([{"table": "lists", "rows": [row]}])).to_string()
    };
    let (older, newer) = (push(2, "older"), push(3, "newer"));
    world.push_raw(older.clone()).await?;
    let first = world.push_raw(newer.clone()).await?;
    let before = world.everything().await?;
    let again = world.push_raw(newer).await?;
    ensure!(again.status == 200, "{again:?}");
    ensure!(again.verdicts() == ["unchanged"], "{first:?} {again:?}");
    let late = world.push_raw(older).await?;
    ensure!(late.code() == "push_overtaken", "{late:?}");
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

async fn r05_two_accounts_of_one_name(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let sign_up = || {
        let body =
            json!({"email": "Carl@example.org", "password": "correct horse", "name": "Carl"});
        world.post_json("/api/auth/sign-up/email", body)
    };
    let answers: Vec<Answer> = try_join_all((0..4).map(|_| sign_up())).await?;
    let mut statuses: Vec<u16> = answers.iter().map(|a| a.status.as_u16()).collect();
    statuses.sort_unstable();
    ensure!(statuses == [200, 409, 409, 409], "{answers:?}");
    let rows = world
        .rows("SELECT email AS text FROM \"user\" WHERE email LIKE '%arl@%'")
        .await?;
    ensure!(rows == ["carl@example.org"], "{rows:?}");
    Ok(())
}

async fn r07_two_pushes_that_touch_rows_in_opposite_order(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let other = second_token(&world).await?;
    let names: Vec<String> = (10..30).map(stranger).collect();
    let new: Vec<Value> = names
        .iter()
        .map(|name| row(name, json!({"name": name, "profile_id": world.ann.profile})))
        .collect();
    world
        .push(&world.ann, 2, json!([{"table": "lists", "rows": new}]))
        .await?;
    for round in 0..10 {
        let edits = |who: &str, names: Vec<&String>| {
            let rows = names
                .into_iter()
                .map(|name| edit(name, json!({"name": format!("{name} {who} {round}")})));
            json!([{"table": "lists", "rows": rows.collect::<Vec<_>>()}])
        };
        let one = edits("ann", names.iter().collect());
        let two = edits("other", names.iter().rev().collect());
        let (first, second) = tokio::join!(
            world.push(&world.ann, round + 3, one),
            world.push_as(&other, round + 1, two)
        );
        for answer in [first?, second?] {
            ensure!(answer.status == 200, "{answer:?}");
        }
    }
    Ok(())
}

async fn r10_j34_one_push_from_two_connections_at_once(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let before = head(&world).await?;
    let body = push_body(
        2,
        json!([{"table": "lists", "rows": [
            row(&stranger(1), json!({"name": "New", "profile_id": world.ann.profile}))
        ]}]),
    );
    let answers = try_join_all((0..4).map(|_| world.push_raw(body.to_string()))).await?;
    let mut verdicts: Vec<String> = answers.iter().flat_map(Answer::verdicts).collect();
    verdicts.sort_unstable();
    ensure!(
        verdicts == ["applied", "unchanged", "unchanged", "unchanged"],
        "{answers:?}"
    );
    ensure!(head(&world).await? == before + 1, "one position");
    Ok(())
}
