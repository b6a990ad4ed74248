//! The list of an account's devices, and who may see it.

use anyhow::Result;
use reqwest::Method;
use serde_json::json;
use sync_core::protocol::{Device, DevicesAnswer};
use sync_tests::{LoginServer, TestDb, login_server::DAY_MS, on_both_backends};

use super::{ANNA, BEN};

on_both_backends!(
    the_list_is_the_accounts_own_and_tells_who_asks,
    i14_another_accounts_device_is_as_unknown_as_nobodys,
    a_device_of_any_name_can_be_ended,
);

async fn devices(server: &LoginServer, token: &str) -> Result<Vec<Device>> {
    let answer = server.ask(Method::GET, "/api/sync/devices", token).await?;
    let answer: DevicesAnswer = serde_json::from_value(answer.body)?;
    Ok(answer.devices)
}

async fn the_list_is_the_accounts_own_and_tells_who_asks(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    server.add_user(BEN).await?;
    let (anna, ben) = (server.session(ANNA).await?, server.session(BEN).await?);
    let phone = server.sync_token(&anna, "phone").await?;
    server.later(DAY_MS);
    let tv = server.sync_token(&anna, "tv").await?;
    server.sync_token(&ben, "laptop").await?;
    server.info(&phone).await?;

    let list = |devices: Vec<Device>| -> Vec<(String, bool)> {
        let shown = devices
            .into_iter()
            .map(|device| (device.id, device.current));
        shown.collect()
    };
    let both = |phone, tv| vec![("phone".to_owned(), phone), ("tv".to_owned(), tv)];
    assert_eq!(list(devices(&server, &anna).await?), both(false, false));
    assert_eq!(list(devices(&server, &phone).await?), both(true, false));
    assert_eq!(list(devices(&server, &tv).await?), both(false, true));
    assert_eq!(
        list(devices(&server, &ben).await?),
        [("laptop".to_owned(), false)]
    );

    let answer = server.ask(Method::GET, "/api/sync/devices", &anna).await?;
    let expected = json!({
        "id": "phone", "name": "phone of the test", "current": false,
        "createdAt": "2026-01-01T00:00:00.000Z", "lastSeenAt": "2026-01-02T00:00:00.000Z",
        "expiresAt": "2027-01-02T00:00:00.000Z",
    });
    assert_eq!(answer.body["devices"][0], expected);
    Ok(())
}

async fn i14_another_accounts_device_is_as_unknown_as_nobodys(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    server.add_user(BEN).await?;
    let (anna, ben) = (server.session(ANNA).await?, server.session(BEN).await?);
    let bens = server.sync_token(&ben, "laptop").await?;
    let annas = server.sync_token(&anna, "phone").await?;
    let n = server
        .texts("SELECT CAST(id AS TEXT) FROM sync_device ORDER BY id")
        .await?;
    for asking in [&anna, &annas] {
        let mut answers = Vec::new();
        for id in ["laptop", "nobodys", &n[0], &n[1], "%00", "%FF", "*", "%25"] {
            let path = format!("/api/sync/devices/{id}");
            let answer = server.ask(Method::DELETE, &path, asking).await?;
            answers.push((answer.status, answer.body));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(
            (answers[0].0, &answers[0].1["code"]),
            (404, &json!("unknown_device"))
        );
    }
    assert_eq!(server.info(&bens).await?.status, 200);
    assert_eq!(devices(&server, &ben).await?.len(), 1);
    Ok(())
}

async fn a_device_of_any_name_can_be_ended(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let session = server.session(ANNA).await?;
    for (name, path) in [
        ("a/b?c#d%", "a%2Fb%3Fc%23d%25"),
        (
            "'; DROP TABLE sync_device; --x".replace(' ', "_").as_str(),
            "';_DROP_TABLE_sync_device;_--x",
        ),
    ] {
        let token = server.sync_token(&session, name).await?;
        let path = format!("/api/sync/devices/{path}");
        assert_eq!(
            server.ask(Method::DELETE, &path, &session).await?.status,
            204,
            "{name}"
        );
        assert_eq!(server.info(&token).await?.status, 401, "{name}");
        // Once is enough.
        assert_eq!(
            server.ask(Method::DELETE, &path, &session).await?.status,
            404,
            "{name}"
        );
    }
    // Without an id it made one up.
    let token = server
        .post("/api/sync/token", &session, &json!({}))
        .await?
        .text("syncToken")?;
    let listed = devices(&server, &token).await?;
    let path = format!("/api/sync/devices/{}", listed[0].id);
    assert_eq!(server.ask(Method::DELETE, &path, &token).await?.status, 204);
    assert_eq!(server.info(&token).await?.status, 401);
    Ok(())
}
