//! Section 3.3 of the attacks: what stands in a body. Values of columns are in `push/contents.rs`.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};
use sync_tests::{TestDb, on_both_backends};

use super::world::{World, edit, push_body, row, stranger};

on_both_backends!(
    j01_j04_j05_j17_j18_what_is_no_json,
    j02_what_does_not_say_it_is_json,
    j07_a_key_that_stands_twice,
    j08_a_row_that_stands_twice,
    j10_j11_tables_that_there_are_not,
    j12_columns_that_there_are_not,
    j22_names_have_one_form,
    j32_too_many_rows,
    j34_a_push_that_says_something_else_the_second_time,
    j37_names_in_two_forms_of_unicode,
);

/// Sends bodies that are refused as a whole.
async fn refused(world: &World, bodies: &[(Vec<u8>, u16)]) -> Result<()> {
    let before = world.everything().await?;
    for (body, status) in bodies {
        let answer = world.push_raw(body.clone()).await?;
        let start = String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned();
        ensure!(answer.status == *status, "{start}: {answer:?}");
        ensure!(!answer.code().is_empty(), "{start}: {answer:?}");
    }
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

async fn j01_j04_j05_j17_j18_what_is_no_json(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let good = push_body(9, json!([])).to_string();
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let mut bodies: Vec<(Vec<u8>, u16)> = [
        String::new(),
        "{".to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("\u{feff}{good}"),
        format!("{good} x"),
        format!("{good}{good}"),
        "null".to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
        deep(200),
        deep(100_000),
        good.replace("\"now\":", "\"now\": NaN, \"n\":"),
        good.replace("\"push_no\":9", "\"push_no\":1e400"),
        good.replace("\"push_no\":9", "\"push_no\":9223372036854775808"),
        good.replace("\"push_no\":9", "\"push_no\":9.5"),
        good.replace("\"push_no\":9", "\"push_no\":\"9\""),
        good.replace("\"protocol\":1", "\"protocol\":-1"),
        good.replace(
            "\"tables\":[]",
            "\"tables\":[{\"table\":\"lists\",\"rows\":[\"\\ud800\"]",
        ),
        format!("{{\"epoch\": \"a\nb\", {}", &good[1..]),
    ]
    .map(|text| (text.into_bytes(), 400))
    .into();
    bodies.push((vec![0xff, 0xfe, b'{', b'}'], 400));
    bodies.push(([good.as_bytes(), &[0xc3]].concat(), 400));
    refused(&world, &bodies).await
}

async fn j02_what_does_not_say_it_is_json(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let before = world.everything().await?;
    let token = format!("Bearer {}", world.ann.token);
    let rows = push_body(
        9,
        json!([{"table": "lists", "rows": [edit(&world.ann.list, json!({"name": "X"}))]}]),
    );
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "",
    ] {
        let headers = [
            ("authorization", token.as_bytes()),
            ("content-type", media_type.as_bytes()),
        ];
        let answer = world
            .send(Method::POST, "/api/sync/push", &headers, rows.to_string())
            .await?;
        ensure!(answer.status == 415, "{media_type}: {answer:?}");
    }
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

async fn j07_a_key_that_stands_twice(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let good = push_body(9, json!([])).to_string();
    let bodies = [
        good.replace("\"push_no\":9", "\"push_no\":9,\"push_no\":10"),
        good.replace("\"tables\":[]", "\"tables\":[],\"tables\":[]"),
        good.replace(
            "\"tables\":[]",
            "\"tables\":[{\"table\":\"lists\",\"table\":\"profiles\",\"rows\":[]}]",
        ),
        good.replace("\"tables\":[]", "\"tables\":[],\"user_id\":\"x\""),
    ];
    refused(&world, &bodies.map(|body| (body.into_bytes(), 400))).await
}

/// The second is refused, whatever it says; the first is taken.
async fn j08_a_row_that_stands_twice(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let rows = [
        edit(&world.ann.list, json!({"name": "first"})),
        edit(&world.ann.list, json!({"name": "second"})),
    ];
    let answer = world
        .push(&world.ann, 2, json!([{"table": "lists", "rows": rows}]))
        .await?;
    let verdicts = answer.verdicts();
    ensure!(verdicts[0] == "applied", "{verdicts:?}");
    ensure!(verdicts[1].starts_with("rejected"), "{verdicts:?}");
    // In two blocks of the same table it is no different.
    let blocks: Vec<Value> = ["third", "fourth"]
        .map(|name| json!({"table": "lists", "rows": [edit(&world.ann.list, json!({"name": name}))]}))
        .into();
    let answer = world.push(&world.ann, 3, json!(blocks)).await?;
    let verdicts = answer.verdicts();
    ensure!(verdicts[0] == "applied", "{verdicts:?}");
    ensure!(verdicts[1].starts_with("rejected"), "{verdicts:?}");
    Ok(())
}

async fn j10_j11_tables_that_there_are_not(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let before = world.everything().await?;
    for (number, table) in [
        "nothing",
        "profiles; DROP TABLE profiles",
        "sqlite_master",
        "pg_catalog.pg_user",
        "user",
        "session",
        "account",
        "sync_device",
        "sync_feed",
        "addons",
        "__proto__",
        "Profiles",
        "profiles ",
        "",
        "\u{0}",
        "\"profiles\"",
    ]
    .into_iter()
    .enumerate()
    {
        let rows = [row(&stranger(1), json!({"name": "x"}))];
        let push_no = i64::try_from(number)? + 2;
        let answer = world
            .push(&world.ann, push_no, json!([{"table": table, "rows": rows}]))
            .await?;
        ensure!(answer.status == 200, "{table}: {answer:?}");
        ensure!(
            answer.verdicts() == ["rejected unknown_table"],
            "{table}: {answer:?}"
        );
        let escaped: String = url::form_urlencoded::byte_serialize(table.as_bytes()).collect();
        for path in [
            format!("/api/sync/row?table={escaped}&remote_id={}", world.ann.list),
            format!("/api/sync/pull?tables={escaped}"),
        ] {
            let answer = world.get(&world.ann, &path).await?;
            ensure!(answer.status != 503, "{path}: {answer:?}");
        }
        let body = json!({"table": table, "remote_ids": [world.ann.list]}).to_string();
        world.post(&world.ann, "/api/sync/rows", body).await?;
        let compare = json!({"protocol": 1, "cursor": null, "tables": [{"table": table, "columns": ["name"]}]});
        world
            .post(&world.ann, "/api/sync/compare", compare.to_string())
            .await?;
    }
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

async fn j12_columns_that_there_are_not(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let before = world.everything().await?;
    for (number, column) in [
        "name\"=1--",
        "rowid",
        "_rowid_",
        "ctid",
        "xmin",
        "id",
        "user_id",
        "dirty",
        "remote_id",
        "updated_at",
        "Name",
    ]
    .into_iter()
    .enumerate()
    {
        let rows = [edit(&world.ann.list, json!({column: "x"}))];
        refuses_the_row(&world, number, rows, column).await?;
    }
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

/// Pushes one row of a list, and its verdict is that it is rejected.
async fn refuses_the_row(world: &World, number: usize, row: [Value; 1], what: &str) -> Result<()> {
    let push_no = i64::try_from(number)? + 2;
    let tables = json!([{"table": "lists", "rows": row}]);
    let answer = world.push(&world.ann, push_no, tables).await?;
    let verdicts = answer.verdicts();
    ensure!(
        verdicts.len() == 1 && verdicts[0].starts_with("rejected"),
        "{what}: {answer:?}"
    );
    Ok(())
}

async fn j22_names_have_one_form(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let before = world.everything().await?;
    let long = "a".repeat(10_000);
    for (number, name) in [
        "",
        "17",
        "0190A6E0-0000-7000-8000-0000000FFF01",
        "{0190a6e0-0000-7000-8000-0000000fff01}",
        "../x",
        "0190a6e0-0000-7000-8000-0000000fff01 ",
        &long,
    ]
    .into_iter()
    .enumerate()
    {
        let rows = [row(
            name,
            json!({"name": "x", "profile_id": world.ann.profile}),
        )];
        refuses_the_row(&world, number, rows, name).await?;
    }
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

async fn j32_too_many_rows(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let before = world.everything().await?;
    let rows: Vec<Value> = (0..5_001)
        .map(|n| json!({"remote_id": format!("{n}"), "changed": {}, "row": {}}))
        .collect();
    let answer = world
        .push(&world.ann, 2, json!([{"table": "lists", "rows": rows}]))
        .await?;
    ensure!(
        (answer.status.as_u16(), answer.code().as_str()) == (413, "too_many_rows"),
        "{answer:?}"
    );
    let names = vec![stranger(1); 1_001];
    let body = json!({"table": "lists", "remote_ids": names}).to_string();
    let answer = world.post(&world.ann, "/api/sync/rows", body).await?;
    ensure!(answer.status.is_client_error(), "{answer:?}");
    ensure!(world.everything().await? == before, "something changed");
    Ok(())
}

/// A device that forgot what it sent under a number is a copy of another, or was put back to a backup.
async fn j34_a_push_that_says_something_else_the_second_time(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let push = |name: &str| json!([{"table": "lists", "rows": [edit(&world.ann.list, json!({"name": name}))]}]);
    let first = world.push(&world.ann, 2, push("first")).await?;
    ensure!(first.verdicts() == ["applied"], "{first:?}");
    let before = world.everything().await?;
    let second = world.push(&world.ann, 2, push("second")).await?;
    ensure!(
        (second.status.as_u16(), second.code().as_str()) == (409, "push_overtaken"),
        "{second:?}"
    );
    ensure!(second.json()["last_push_no"] == 2, "{second:?}");
    ensure!(world.everything().await? == before, "something changed");
    // J35: the number is another one of another account.
    let theirs =
        json!([{"table": "lists", "rows": [edit(&world.bob.list, json!({"name": "second"}))]}]);
    let theirs = world.push(&world.bob, 2, theirs).await?;
    ensure!(theirs.verdicts() == ["applied"], "{theirs:?}");
    Ok(())
}

async fn j37_names_in_two_forms_of_unicode(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let list = |number, name: &str| {
        row(
            &stranger(number),
            json!({"name": name, "profile_id": world.ann.profile}),
        )
    };
    let rows = [
        list(1, "Caf\u{e9}"),
        list(2, "Cafe\u{301}"),
        list(3, "Caf\u{e9}  "),
    ];
    for (number, row) in rows.into_iter().enumerate() {
        let push_no = i64::try_from(number)? + 2;
        let answer = world
            .push(
                &world.ann,
                push_no,
                json!([{"table": "lists", "rows": [row]}]),
            )
            .await?;
        let verdicts = answer.verdicts();
        let wanted = ["applied", "merged"][usize::from(number > 0)];
        ensure!(verdicts[0].starts_with(wanted), "{number}: {answer:?}");
    }
    Ok(())
}
