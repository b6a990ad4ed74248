//! Section 3.2 of the attacks: one account reaching for another's rows.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};
use sync_tests::{TestDb, on_both_backends};

use super::world::{Answer, World, edit, row, stranger};

on_both_backends!(
    i01_another_accounts_row_is_unknown,
    i02_another_accounts_parent_is_unknown,
    i04_another_accounts_cursor_shows_only_ones_own,
    i05_i07_the_owner_is_who_holds_the_token,
    i08_i10_names_and_keys_are_free_of_other_accounts,
    i11_nothing_is_kept_on_the_way,
    i12_no_error_tells_of_the_database,
);

/// An answer without what two requests have different anyway.
fn shape(answer: &Answer, name: &str) -> (u16, String) {
    let text = answer.text.replace(name, "NAME");
    let mut body: Value = serde_json::from_str(&text).unwrap_or_default();
    for key in ["before", "after", "cursor", "head", "now"] {
        body.as_object_mut().map(|body| body.remove(key));
    }
    (answer.status.as_u16(), body.to_string())
}

async fn i01_another_accounts_row_is_unknown(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let (ann, bob) = (&world.ann, &world.bob);
    let before = world.of(bob).await?;
    let mut push_no = 2;
    for body in [
        json!({"name": "X"}),
        json!({"deleted_at": "2026-01-01T00:00:00Z"}),
    ] {
        let mut answers = Vec::new();
        for name in [bob.list.clone(), stranger(1)] {
            let rows = [edit(&name, body.clone())];
            let answer = world
                .push(ann, push_no, json!([{"table": "lists", "rows": rows}]))
                .await?;
            push_no += 1;
            answers.push(shape(&answer, &name));
        }
        ensure!(answers[0] == answers[1], "{answers:#?}");
    }
    for path in ["/api/sync/row?table=lists&remote_id="] {
        let mut answers = Vec::new();
        for name in [bob.list.clone(), stranger(1)] {
            let answer = world.get(ann, &format!("{path}{name}")).await?;
            answers.push(shape(&answer, &name));
        }
        ensure!(answers[0] == answers[1], "{answers:#?}");
    }
    let mut answers = Vec::new();
    for name in [bob.list.clone(), stranger(1)] {
        let body = json!({"table": "lists", "remote_ids": [name]}).to_string();
        let answer = world.post(ann, "/api/sync/rows", body).await?;
        answers.push(shape(&answer, &name));
    }
    ensure!(answers[0] == answers[1], "{answers:#?}");
    ensure!(world.of(bob).await? == before, "Bob's rows changed");
    Ok(())
}

async fn i02_another_accounts_parent_is_unknown(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let (ann, bob) = (&world.ann, &world.bob);
    let before = world.everything().await?;
    let mut answers = Vec::new();
    for (number, parent) in [bob.profile.clone(), stranger(9)].into_iter().enumerate() {
        let new = row(&stranger(1), json!({"name": "X", "profile_id": parent}));
        let moved = edit(&ann.list, json!({"profile_id": parent}));
        let answer = world
            .push(
                ann,
                i64::try_from(number)? + 2,
                json!([{"table": "lists", "rows": [new, moved]}]),
            )
            .await?;
        ensure!(
            answer.verdicts() == ["rejected unknown_parent profile_id"; 2],
            "{answer:?}"
        );
        answers.push(shape(&answer, &parent));
    }
    ensure!(answers[0] == answers[1], "{answers:#?}");
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

async fn i04_another_accounts_cursor_shows_only_ones_own(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    // Bob's feed is longer.
    for push_no in 2..6 {
        let rows = [edit(
            &world.bob.list,
            json!({"name": format!("B{push_no}")}),
        )];
        world
            .push(
                &world.bob,
                push_no,
                json!([{"table": "lists", "rows": rows}]),
            )
            .await?;
    }
    let whole = world.get(&world.bob, "/api/sync/pull").await?.json();
    let page = world
        .get(&world.bob, "/api/sync/pull?limit=1")
        .await?
        .json();
    for cursor in [&whole["cursor"], &page["cursor"], &whole["head"]] {
        let cursor = cursor.as_str().unwrap_or_default();
        let path = format!("/api/sync/pull?cursor={cursor}");
        let answer = world.get(&world.ann, &path).await?;
        for theirs in [&world.bob.profile, &world.bob.list, &world.bob.item] {
            ensure!(!answer.text.contains(theirs.as_str()), "{answer:?}");
        }
        ensure!(
            [200, 400, 410].contains(&answer.status.as_u16()),
            "{answer:?}"
        );
    }
    for cursor in ["x", "-1", "99999999999999999999", "%00", "1.2.3.4.5.6"] {
        let answer = world
            .get(&world.ann, &format!("/api/sync/pull?cursor={cursor}"))
            .await?;
        ensure!(answer.status.is_client_error(), "{cursor}: {answer:?}");
    }
    Ok(())
}

async fn i05_i07_the_owner_is_who_holds_the_token(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let before = world.of(&world.bob).await?;
    for (number, key) in ["user_id", "account", "account_id", "id", "owner"]
        .into_iter()
        .enumerate()
    {
        let rows = [row(
            &stranger(1),
            json!({"name": "X", "avatar": "a", key: world.bob.user_id}),
        )];
        let answer = world
            .push(
                &world.ann,
                i64::try_from(number)? + 2,
                json!([{"table": "profiles", "rows": rows}]),
            )
            .await?;
        ensure!(
            answer.verdicts() == [format!("rejected unknown_column {key}")],
            "{key}: {answer:?}"
        );
    }
    ensure!(world.of(&world.bob).await? == before, "Bob's rows changed");
    let page = world.get(&world.ann, "/api/sync/pull").await?;
    for key in ["\"id\"", "user_id", "row_id", &world.ann.user_id] {
        ensure!(!page.text.contains(key), "{key} is in {page:?}");
    }
    Ok(())
}

async fn i08_i10_names_and_keys_are_free_of_other_accounts(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let (ann, bob) = (&world.ann, &world.bob);
    let before = world.of(bob).await?;
    // The same name for a row, the same key below one's own parent, and what is an alias elsewhere.
    let rows = json!([
        {"table": "lists", "rows": [
            row(&bob.list, json!({"name": "Theirs", "profile_id": ann.profile})),
            row(&stranger(1), json!({"name": "Mine", "profile_id": ann.profile})),
        ]},
        {"table": "list_items", "rows": [
            row(&bob.item, json!({"list_id": bob.list, "meta_id": "tt1", "type": "movie"})),
        ]},
    ]);
    let answer = world.push(ann, 2, rows).await?;
    ensure!(
        answer.verdicts() == ["applied", "merged", "applied"],
        "{answer:?}"
    );
    // For Bob the alias that Ann has now leads nowhere.
    let edited = json!([{"table": "lists", "rows": [edit(&stranger(1), json!({"name": "X"}))]}]);
    let answer = world.push(bob, 2, edited).await?;
    ensure!(answer.verdicts() == ["rejected unknown_id"], "{answer:?}");
    ensure!(world.of(bob).await? == before, "Bob's rows changed");
    Ok(())
}

async fn i11_nothing_is_kept_on_the_way(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    for (method, path) in [
        (Method::GET, "/api/sync/pull"),
        (Method::GET, "/api/sync/info"),
        (Method::POST, "/api/sync/push"),
        (Method::POST, "/api/auth/sign-in/email"),
        (Method::GET, "/nothing"),
        (Method::GET, "/healthz"),
    ] {
        let token = format!("Bearer {}", world.ann.token);
        let headers = [("authorization", token.as_bytes())];
        let answer = world.send(method, path, &headers, "").await?;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            let header = answer.headers.get(name).and_then(|v| v.to_str().ok());
            ensure!(header == Some(value), "{path}: {name} is {header:?}");
        }
    }
    Ok(())
}

async fn i12_no_error_tells_of_the_database(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let long = "\u{1F600}".repeat(60_000);
    let mut push_no = 2;
    for value in [
        json!("\u{0}"),
        json!(long),
        json!(1),
        json!({"a": 1}),
        json!([]),
        json!(true),
    ] {
        for table in ["lists", "profiles", "list_items", "watch_history"] {
            let rows = [row(
                &stranger(1),
                json!({
                    "name": value, "title": value, "meta_id": value, "profile_id": world.ann.profile,
                }),
            )];
            let answer = world
                .push(&world.ann, push_no, json!([{"table": table, "rows": rows}]))
                .await?;
            push_no += 1;
            let text = answer.text.to_lowercase();
            for word in [
                "sql",
                "constraint failed",
                "relation",
                "postgres",
                "detail",
                "select ",
                "insert ",
            ] {
                ensure!(!text.contains(word), "{word}: {answer:?}");
            }
        }
    }
    Ok(())
}
