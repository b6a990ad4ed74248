//! Devices whose requests are not those of this version.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sync_core::{
    protocol::ErrorCode,
    server::{Caller, PullQuery},
};
use sync_tests::{
    Fault, Scene, TestDb, on_both_backends,
    scene::{USER, new_row},
};

on_both_backends!(
    sd05_a_protocol_that_is_too_old_is_refused_and_asked_once,
    sd05_so_is_a_device_that_only_pulls,
    sd08_values_of_other_types_and_missing_keys_are_verdicts,
    sd10_a_kind_of_title_that_nobody_knows_is_kept,
    sd04_rows_of_some_tables_come_alone,
);

async fn sd05_a_protocol_that_is_too_old_is_refused_and_asked_once(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    let before = (a.everything().await?, a.pending().await?);
    a.net
        .on_push(Fault::change_request(|push| push["protocol"] = json!(0)));

    let error = a.sync().await.err().context("it is refused")?;

    assert_eq!(error.code(), Some(ErrorCode::UnsupportedProtocol));
    assert_eq!(ErrorCode::UnsupportedProtocol.status(), 426);
    assert!(!error.is_retryable() && !error.needs_choice());
    assert_eq!(a.net.requests().len(), 1, "no storm");
    assert_eq!((a.everything().await?, a.pending().await?).1, before.1);
    let status = a.status().await?;
    assert!(
        status.last_error.is_some_and(
            |error| error.starts_with("unsupported_protocol") && error.contains("update")
        ),
    );
    // Local use goes on, and once either is updated all of it is synced.
    a.add_profile("Adults").await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        b.rows("SELECT name FROM profiles ORDER BY 1").await?,
        ["Adults", "Kids"]
    );
    Ok(())
}

async fn sd05_so_is_a_device_that_only_pulls(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.sync().await?;
    assert!(
        a.net.pulls()[0].contains("protocol=1"),
        "{:?}",
        a.net.pulls()
    );
    let caller = Caller {
        user_id: USER.to_owned(),
        device: 1,
    };
    for protocol in [0, 2, u32::MAX] {
        let query = PullQuery {
            protocol: Some(protocol),
            ..PullQuery::default()
        };
        let refused = scene.server.engine.pull(&caller, &query).await.err();
        let code = refused.context("it is refused")?.code();
        assert_eq!(code, ErrorCode::UnsupportedProtocol);
    }
    // One that does not say, as a script, is answered.
    scene
        .server
        .engine
        .pull(&caller, &PullQuery::default())
        .await?;
    Ok(())
}

const NAME: &str = "01900000-0000-7000-8000-000000000001";
const GOOD: &str = "01900000-0000-7000-8000-000000000002";

async fn sd08_values_of_other_types_and_missing_keys_are_verdicts(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let now = 1_700_000_000_000_i64;
    let bad: [Value; 12] = [
        new_row("17", now, json!({"name": "x"})),
        json!({"remote_id": 17, "changed": {"*": now}, "row": {"name": "x"}}),
        json!({"remote_id": NAME, "changed": {"*": now.to_string()}, "row": {"name": "x"}}),
        json!({"remote_id": NAME, "changed": {"*": now}}),
        json!({"remote_id": NAME, "row": {"name": "x"}}),
        json!({"changed": {"*": now}, "row": {"name": "x"}}),
        new_row(NAME, now, json!({"name": 17})),
        new_row(NAME, now, json!({"name": "x", "is_default": "1"})),
        new_row(NAME, now, json!({"name": "x", "id": "17"})),
        new_row(NAME, now, json!({"name": "x", "user_id": 17})),
        json!([NAME, now]),
        json!(null),
    ];
    for (number, row) in (1..).zip(bad) {
        let good = new_row(GOOD, now, json!({"name": "Kids", "avatar": "x"}));
        let tables = json!([{"table": "profiles", "rows": [row.clone(), good]}]);
        let (status, answer) = scene.push_by_hand(USER, 1, number, tables).await?;
        assert_eq!(status, 200, "{row}: {answer}");
        let verdicts = &answer["tables"][0]["rows"];
        assert_eq!(verdicts[0]["verdict"], "rejected", "{row}: {answer}");
        assert!(verdicts[0]["code"].is_string(), "{row}: {answer}");
        assert_ne!(verdicts[1]["verdict"], "rejected", "{row}: {answer}");
    }
    // Keys that may be left out.
    let row = new_row(NAME, now, json!({"name": "Least", "avatar": "x"}));
    let tables = json!([{"table": "profiles", "rows": [row]}]);
    let (status, answer) = scene.push_by_hand(USER, 1, 50, tables).await?;
    assert_eq!(
        (status, &answer["tables"][0]["rows"][0]["verdict"]),
        (200, &json!("applied"))
    );
    assert_eq!(
        scene.rows("SELECT name FROM profiles ORDER BY 1").await?,
        ["Kids", "Least"]
    );
    Ok(())
}

async fn sd10_a_kind_of_title_that_nobody_knows_is_kept(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.sql(&format!(
        "INSERT INTO watch_history (profile_id, meta_id, meta_type) VALUES ({profile}, 'x:1', 'hologram 🎬')"
    ))
    .await?;
    let list = a.add_list(profile, "Later").await?;
    a.sql(&format!(
        "INSERT INTO list_items (list_id, meta_id, type) VALUES ({list}, 'x:1', 'hologram 🎬')"
    ))
    .await?;
    scene.settled(&[&a, &b]).await?;
    for sql in [
        "SELECT meta_type FROM watch_history",
        "SELECT type FROM list_items",
    ] {
        assert_eq!(b.rows(sql).await?, ["hologram 🎬"]);
        assert_eq!(scene.rows(sql).await?, ["hologram 🎬"]);
    }
    b.sql("UPDATE watch_history SET position = 5").await?;
    scene.settled(&[&b, &a]).await?;
    assert_eq!(
        a.rows("SELECT meta_type, position FROM watch_history")
            .await?,
        ["hologram 🎬|5"]
    );
    Ok(())
}

async fn sd04_rows_of_some_tables_come_alone(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    let profile = a.add_profile("Kids").await?;
    let list = a.add_list(profile, "Later").await?;
    a.add_item(list, "tt1").await?;
    a.sync().await?;
    let caller = Caller {
        user_id: USER.to_owned(),
        device: 1,
    };
    for (asked, expected) in [
        ("lists", vec!["lists"]),
        ("list_items,profiles", vec!["profiles", "list_items"]),
        ("nothing,lists'); DROP TABLE lists; --", vec![]),
        ("", vec![]),
    ] {
        let query = PullQuery {
            tables: Some(asked.to_owned()),
            ..PullQuery::default()
        };
        let page = scene.server.engine.pull(&caller, &query).await?;
        let names: Vec<&str> = page
            .tables
            .iter()
            .map(|table| table.table.as_str())
            .collect();
        assert_eq!(names, expected, "{asked}");
        assert!(page.schema.is_none(), "nobody asked");
    }
    Ok(())
}
