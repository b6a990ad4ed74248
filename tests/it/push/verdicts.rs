//! A row that the server does not take stays dirty with the reason, and stops no other.

use anyhow::Result;
use serde_json::{Value, json};
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

async fn pu10_a_bad_row_does_not_stop_the_others(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    ten_lists(&a).await?;
    a.net.on_push(Fault::change_request(|push| {
        row_of(push, "lists", 3)["row"]["name"] = Value::Null
    }));

    let report = a.sync().await?;

    assert_eq!(
        (report.n_pushed, report.n_rejected),
        (10, 1),
        "the profile and nine lists"
    );
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "9");
    assert_eq!(a.dirty().await?, ["lists 4"]);
    let status = a.status().await?;
    assert_eq!(status.rejected.len(), 1);
    let rejected = &status.rejected[0];
    assert_eq!((rejected.table.as_str(), rejected.row_id), ("lists", 4));
    assert_eq!(
        (rejected.code.as_str(), rejected.field.as_deref()),
        ("required", Some("name"))
    );
    assert_eq!(status.last_error, None, "the sync as a whole went well");
    Ok(())
}

async fn pu10_what_the_database_refuses_is_that_rows_fault_alone(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    ten_lists(&a).await?;
    scene.refuse_name("lists", "List 3").await?;

    a.sync().await?;

    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "9");
    assert_eq!(a.dirty().await?, ["lists 4"]);
    assert_eq!(a.rejected().await?, ["lists 4 constraint"]);
    Ok(())
}

async fn pu10_a_bad_update_leaves_the_row_and_the_others_go_on(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    ten_lists(&a).await?;
    scene.settled(&[&a, &b]).await?;
    scene.refuse_name("lists", "bad").await?;
    let head = scene.head().await?;

    a.sql("UPDATE lists SET name = CASE id WHEN 4 THEN 'bad' ELSE 'New ' || id END")
        .await?;
    a.sync().await?;

    assert_eq!(scene.head().await?, head + 9);
    assert_eq!(
        scene
            .one("SELECT count(*) FROM lists WHERE name LIKE 'New %'")
            .await?,
        "9"
    );
    assert_eq!(
        scene
            .one("SELECT count(*) FROM lists WHERE name = 'List 3'")
            .await?,
        "1"
    );
    assert_eq!(a.dirty().await?, ["lists 4"]);
    a.sql("UPDATE lists SET name = 'Good' WHERE id = 4").await?;
    scene.settled(&[&a, &b]).await
}

async fn pu11_a_corrected_row_is_taken_and_its_error_forgotten(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    ten_lists(&a).await?;
    scene.refuse_name("lists", "List 3").await?;
    a.sync().await?;
    assert_eq!(a.rejected().await?, ["lists 4 constraint"]);

    a.sql("UPDATE lists SET name = 'Good' WHERE id = 4").await?;
    a.sync().await?;

    assert_eq!(a.rejected().await?, Vec::<String>::new());
    assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "10");
    scene.settled(&[&a, &b]).await
}

/// The same once the server takes what it refused: nobody has to touch the row.
async fn pu11_a_row_is_offered_again_at_every_sync(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    ten_lists(&a).await?;
    a.net.on_push(Fault::change_request(|push| {
        row_of(push, "lists", 3)["row"]["name"] = Value::Null
    }));
    a.sync().await?;
    assert_eq!(a.net.pushes().len(), 1, "once a sync");
    scene.settled(&[&a, &b]).await?;
    assert_eq!(a.rejected().await?, Vec::<String>::new());
    Ok(())
}

async fn pu11_a_rejected_row_that_is_deleted_is_forgotten(db: TestDb) -> Result<()> {
    for delete in [
        "DELETE FROM lists WHERE id = 4",
        "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = 4",
    ] {
        let scene = Scene::new(TestDb::new(db.backend()).await?).await?;
        let (a, b) = scene.pair().await?;
        ten_lists(&a).await?;
        scene.refuse_name("lists", "List 3").await?;
        a.sync().await?;
        a.sql(delete).await?;
        scene.settled(&[&a, &b]).await?;
        assert_eq!(a.rejected().await?, Vec::<String>::new(), "{delete}");
        assert_eq!(scene.one("SELECT count(*) FROM lists").await?, "9");
    }
    Ok(())
}

async fn pu13_a_rejected_row_does_not_stop_the_pull(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    scene.refuse_name("profiles", "bad").await?;
    a.sql("UPDATE profiles SET avatar = 'y'").await?;
    a.sync().await?;

    b.sql("UPDATE profiles SET name = 'bad'").await?;
    let report = b.sync().await?;

    assert_eq!((report.n_rejected, report.n_pulled), (1, 1));
    assert_eq!(
        b.one("SELECT name, avatar FROM profiles").await?,
        "bad|y",
        "its own edit stays"
    );
    b.sql("UPDATE profiles SET name = 'Good'").await?;
    scene.settled(&[&b, &a]).await
}

/// What does not answer each row that was sent, in its order, is no answer.
async fn pu13_an_answer_to_other_rows_settles_nothing(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    ten_lists(&a).await?;
    let strange: [fn(&mut Value); 7] = [
        |answer| answer["tables"] = json!([]),
        |answer| _ = rows_of(answer, "lists").pop(),
        |answer| rows_of(answer, "lists").swap(2, 5),
        |answer| {
            let first = rows_of(answer, "lists")[0].clone();
            rows_of(answer, "lists").push(first);
        },
        |answer| {
            rows_of(answer, "lists")[0]["remote_id"] = json!("0190a6e0-0000-7000-8000-000000000001")
        },
        |answer| rows_of(answer, "lists")[0]["verdict"] = json!("perhaps"),
        |answer| answer["tables"][1]["table"] = json!("list_items"),
    ];
    for (number, change) in strange.into_iter().enumerate() {
        let (before, cursor) = (a.pending().await?, a.cursor().await?);
        a.net.on_push(Fault::change_answer(change));
        let error = a.sync().await.err().map(|error| error.word().to_owned());
        assert_eq!(error.as_deref(), Some("not_a_sync_server"), "{number}");
        assert_eq!(
            (a.pending().await?, a.cursor().await?),
            (before, cursor),
            "{number}"
        );
    }
    let b = scene.device().await?;
    scene.settled(&[&a, &b]).await
}

async fn ten_lists(device: &SceneDevice) -> Result<()> {
    let profile = device.add_profile("Kids").await?;
    for number in 0..10 {
        device.add_list(profile, &format!("List {number}")).await?;
    }
    Ok(())
}

/// The rows of a table in a request or an answer.
fn rows_of<'v>(body: &'v mut Value, table: &str) -> &'v mut Vec<Value> {
    let tables = body["tables"].as_array_mut().expect("there are tables");
    let found = tables
        .iter_mut()
        .find(|part| part["table"] == table)
        .expect("the table is there");
    found["rows"].as_array_mut().expect("it has rows")
}

fn row_of<'v>(body: &'v mut Value, table: &str, number: usize) -> &'v mut Value {
    &mut rows_of(body, table)[number]
}

on_both_backends!(
    pu10_a_bad_row_does_not_stop_the_others,
    pu10_what_the_database_refuses_is_that_rows_fault_alone,
    pu11_a_corrected_row_is_taken_and_its_error_forgotten,
    pu11_a_row_is_offered_again_at_every_sync,
    pu13_a_rejected_row_does_not_stop_the_pull,
    pu13_an_answer_to_other_rows_settles_nothing,
);

on_both_backends!(pu11_a_rejected_row_that_is_deleted_is_forgotten);

on_both_backends!(pu10_a_bad_update_leaves_the_row_and_the_others_go_on);
