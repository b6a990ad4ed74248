//! Answers that claim success and are not a sync server's: nothing is believed.

use anyhow::Result;
use serde_json::json;
use sync_tests::{Backend, Fault, Scene, SceneDevice, TestDb, on_both_backends};

const PORTAL: &str = "<!doctype html><title>Welcome</title><form>Room number: <input></form>";

async fn rt09_the_login_page_of_a_hotel_changes_nothing(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    a.net.on_push(Fault::AnswerInstead(200, PORTAL.into()));
    fails_as(&a, "not_a_sync_server").await?;
    assert_eq!(a.dirty().await?, ["profiles 1"]);
    a.net.on_pull(Fault::AnswerInstead(200, PORTAL.into()));
    fails_as(&a, "not_a_sync_server").await?;
    scene.settled(&[&a, &b]).await
}

/// One that sends its users elsewhere, or says so with another status.
async fn rt09_nor_does_a_redirect_or_an_error_page(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    for status in [
        204, 301, 302, 307, 403, 404, 405, 418, 451, 500, 502, 503, 504, 511,
    ] {
        for fault in [
            Fault::AnswerInstead(status, PORTAL.into()),
            Fault::AnswerAfter(status, vec![]),
        ] {
            a.net.on_push(fault);
            let error = a.sync().await.err();
            let word = error
                .map(|error| error.word().to_owned())
                .unwrap_or_default();
            let expected = if status == 204 {
                "not_a_sync_server".to_owned()
            } else {
                format!("http_{status}")
            };
            assert_eq!(
                (word, a.dirty().await?),
                (expected, vec!["profiles 1".to_owned()])
            );
        }
    }
    scene.settled(&[&a, &b]).await
}

/// Rows without a cursor, a cursor without rows, and the like.
async fn rt10_a_page_that_lacks_a_part_is_no_page(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    a.sync().await?;
    let cursor = b.cursor().await?;
    for part in ["epoch", "cursor", "has_more", "tables"] {
        for value in [None, Some(json!(null)), Some(json!(17)), Some(json!({}))] {
            let changed = value.clone();
            b.net.on_pull(Fault::change_answer(move |page| {
                if let Some(page) = page.as_object_mut() {
                    page.remove(part);
                    page.extend(changed.map(|value| (part.to_owned(), value)));
                }
            }));
            let error = b.sync().await.err().map(|error| error.word().to_owned());
            assert_eq!(
                error.as_deref(),
                Some("not_a_sync_server"),
                "{part} {value:?}"
            );
            assert_eq!(
                (b.everything().await?, b.cursor().await?),
                (vec![], cursor.clone()),
                "{part} {value:?}"
            );
        }
    }
    scene.settled(&[&a, &b]).await
}

async fn rt10_rows_that_are_no_list_are_no_page(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    a.add_list(profile, "Favorites").await?;
    a.sync().await?;
    for rows in [json!(null), json!({}), json!("[]"), json!(1)] {
        let changed = rows.clone();
        b.net.on_pull(Fault::change_answer(move |page| {
            page["tables"][1]["rows"] = changed
        }));
        let error = b.sync().await.err().map(|error| error.word().to_owned());
        assert_eq!(error.as_deref(), Some("not_a_sync_server"), "{rows}");
        assert_eq!(
            (b.everything().await?, b.cursor().await?),
            (vec![], None),
            "{rows}"
        );
    }
    scene.settled(&[&a, &b]).await
}

async fn rt10_neither_is_any_other_json(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    a.sync().await?;
    b.add_profile("Other").await?;
    for body in [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "0",
        "\"ok\"",
        r#"{"rows":[]}"#,
        r#"{"code":"ok"}"#,
        "{\"epoch\":",
        "\u{feff}{}",
    ] {
        b.net.on_push(Fault::AnswerInstead(200, body.into()));
        fails_as(&b, "not_a_sync_server").await?;
        assert_eq!(
            (b.dirty().await?.len(), b.cursor().await?),
            (1, None),
            "{body}"
        );
    }
    b.push().await?;
    let (before, cursor) = (b.everything().await?, b.cursor().await?);
    for body in ["", "null", "[]", "{}", r#"{"tables":[]}"#] {
        b.net.on_pull(Fault::AnswerInstead(200, body.into()));
        fails_as(&b, "not_a_sync_server").await?;
        assert_eq!(
            (b.everything().await?, b.cursor().await?),
            (before.clone(), cursor.clone()),
            "{body}"
        );
    }
    scene.settled(&[&a, &b]).await
}

/// More is announced, and the cursor does not move: no endless loop.
#[tokio::test]
async fn rt10_pages_that_lead_nowhere_end() -> Result<()> {
    let scene = Scene::new(TestDb::new(Backend::Sqlite).await?).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    b.net.forget();
    for _ in 0..50 {
        b.net
            .on_pull(Fault::change_answer(|page| page["has_more"] = json!(true)));
    }
    fails_as(&b, "not_a_sync_server").await?;
    assert!(b.net.pulls().len() < 5, "{:?}", b.net.pulls());
    Ok(())
}

/// The same for two pages that name each other.
#[tokio::test]
async fn rt10_pages_that_lead_in_a_circle_end() -> Result<()> {
    let scene = Scene::new(TestDb::new(Backend::Sqlite).await?).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    scene.settled(&[&a, &b]).await?;
    b.net.forget();
    for number in 0..200 {
        let cursor = ["there", "back"][number % 2];
        let epoch = b.device.device.state().await?.epoch;
        let page = json!({"epoch": epoch, "cursor": cursor, "head": cursor, "has_more": true, "tables": []});
        b.net
            .on_pull(Fault::AnswerInstead(200, page.to_string().into()));
    }
    assert!(b.sync().await.is_err());
    assert!(b.net.pulls().len() < 200, "it went round and round");
    Ok(())
}

/// A cursor is opaque: whatever a server puts in it comes back to it unharmed.
#[tokio::test]
async fn rt10_any_cursor_comes_back_as_it_was() -> Result<()> {
    let scene = Scene::new(TestDb::new(Backend::Sqlite).await?).await?;
    for cursor in [
        "a b",
        "a&limit=1",
        "a#b",
        "50%25",
        "é",
        "\n",
        "a+b",
        "\"",
        "",
    ] {
        let b = scene.device().await?;
        let page = json!({"epoch": "e", "cursor": cursor, "head": cursor, "has_more": false, "tables": []});
        b.net
            .on_pull(Fault::AnswerInstead(200, page.to_string().into()));
        b.sync().await?;
        b.net
            .on_pull(Fault::AnswerInstead(200, page.to_string().into()));
        b.sync().await?;
        let asked = b.net.pulls().pop().unwrap_or_default();
        let asked = reqwest::Url::parse(&format!("http://server.test{asked}"))?;
        let sent = asked
            .query_pairs()
            .find(|(name, _)| name == "cursor")
            .map(|(_, value)| value.into_owned());
        assert_eq!(sent.unwrap_or_default(), cursor, "{asked}");
        assert_eq!(
            asked
                .query_pairs()
                .filter(|(name, _)| name == "limit")
                .count(),
            1,
            "{asked}"
        );
    }
    Ok(())
}

/// A page of tables that this program does not have, from a newer server, is passed over.
async fn rt10_an_unknown_table_is_passed_over(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Kids").await?;
    a.sync().await?;
    b.net.on_pull(Fault::change_answer(|page| {
        let strange = json!({"table": "ratings; DROP TABLE profiles", "rows": [{"remote_id": "x", "at": 1, "row": {}}]});
        if let Some(tables) = page["tables"].as_array_mut() {
            tables.insert(0, strange);
        }
    }));
    b.sync().await?;
    assert_eq!(b.rows("SELECT name FROM profiles").await?, ["Kids"]);
    scene.settled(&[&a, &b]).await
}

async fn fails_as(device: &SceneDevice, word: &str) -> Result<()> {
    let error = device.sync().await.err();
    let told = error.as_ref().map(sync_core::SyncError::word);
    assert_eq!(told, Some(word), "{error:?}");
    assert!(error.is_some_and(|error| error.is_retryable()));
    let status = device.status().await?;
    assert!(
        status
            .last_error
            .as_deref()
            .is_some_and(|error| error.starts_with(word)),
        "{status:?}"
    );
    Ok(())
}

on_both_backends!(
    rt09_the_login_page_of_a_hotel_changes_nothing,
    rt09_nor_does_a_redirect_or_an_error_page,
    rt10_a_page_that_lacks_a_part_is_no_page,
    rt10_neither_is_any_other_json,
    rt10_an_unknown_table_is_passed_over,
);

on_both_backends!(rt10_rows_that_are_no_list_are_no_page);
