//! Accounts that are shut out or gone: at the next request, whoever has seen to it.

use anyhow::Result;
use reqwest::Method;
use serde_json::json;
use server::accounts::{self, Until};
use sync_tests::{
    LoginServer, TestDb,
    login_server::{DAY_MS, PASSWORD},
    on_both_backends,
    synced_rows::live_rows,
};

use super::{ANNA, BEN, HOME};

on_both_backends!(
    a_ban_refuses_sessions_and_tokens_at_once,
    a_ban_that_another_program_wrote_counts_too,
    a_removed_account_leaves_nothing_behind,
);

async fn a_ban_refuses_sessions_and_tokens_at_once(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let session = server.session(ANNA).await?;
    let token = server.sync_token(&session, "phone").await?;
    let reason = Some("spam".to_owned());
    accounts::ban(&server.state, ANNA, Until::Days(3), reason).await?;
    assert_eq!(server.info(&token).await?.outcome(), (403, "banned"));
    let refused = server
        .ask(Method::POST, "/api/sync/token", &session)
        .await?;
    assert_eq!(
        refused.outcome(),
        (401, "unauthorized"),
        "the session has ended"
    );
    let refused = server.sign_in(HOME, ANNA, PASSWORD).await?;
    assert_eq!(refused.outcome(), (403, "banned"));
    let refused = server.sign_in(HOME, ANNA, "wrong horse battery").await?;
    assert_eq!(refused.outcome(), (401, "invalid_email_or_password"));
    // When it ends by itself, devices go on.
    server.later(3 * DAY_MS);
    assert_eq!(server.info(&token).await?.status, 200);
    assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    Ok(())
}

async fn a_ban_that_another_program_wrote_counts_too(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    server.add_user(ANNA).await?;
    let session = server.session(ANNA).await?;
    let token = server.sync_token(&session, "phone").await?;
    server.sql("UPDATE \"user\" SET banned = TRUE").await?;
    assert_eq!(server.info(&token).await?.outcome(), (403, "banned"));
    let pushed = server.post("/api/sync/push", &token, &json!({})).await?;
    assert_eq!(pushed.outcome(), (403, "banned"));
    for (method, path) in [
        (Method::POST, "/api/sync/token"),
        (Method::GET, "/api/sync/devices"),
        (Method::GET, "/api/auth/get-session"),
    ] {
        let refused = server.ask(method, path, &session).await?;
        assert_eq!(refused.outcome(), (403, "banned"), "{path}");
    }
    accounts::unban(&server.state, ANNA).await?;
    assert_eq!(server.info(&token).await?.status, 200);
    Ok(())
}

async fn a_removed_account_leaves_nothing_behind(db: TestDb) -> Result<()> {
    let server = LoginServer::start(&db).await?;
    let mut tokens = Vec::new();
    for email in [ANNA, BEN] {
        server.add_user(email).await?;
        let session = server.session(email).await?;
        let token = server.sync_token(&session, "phone").await?;
        let pushed = server.post("/api/sync/push", &token, &family()).await?;
        assert_eq!(pushed.status, 200, "{pushed:?}");
        tokens.push(token);
    }
    // What another program has written and no device has seen goes, too.
    server
        .sql("UPDATE lists SET name = 'Edited'; DELETE FROM list_items")
        .await?;
    let account = accounts::find(&server.state, ANNA).await?;
    let id = account.id.clone();
    let removed = accounts::remove(&server.state, account).await?;
    assert_eq!(removed.usage.data.n_live, 3, "{removed:?}");

    assert_eq!(
        server.info(&tokens[0]).await?.outcome(),
        (401, "unauthorized")
    );
    let dump = crate::binaries::secrets::dump(&db).await?;
    assert!(!dump.contains(&id) && !dump.contains(ANNA), "{dump}");
    for table in ["sync_account", "sync_device", "account", "session"] {
        let n = server
            .texts(&format!("SELECT CAST(count(*) AS TEXT) FROM {table}"))
            .await?;
        assert_eq!(n, ["1"], "{table}");
    }
    let pulled = server
        .ask(Method::GET, "/api/sync/pull", &tokens[1])
        .await?;
    assert_eq!(pulled.status, 200, "{pulled:?}");
    let rows = live_rows(&db.connect().await?).await?;
    assert_eq!((rows["profiles"].len(), rows["lists"].len()), (1, 1));
    for pending in ["sync_pending", "sync_deleted"] {
        let n = server
            .texts(&format!("SELECT CAST(count(*) AS TEXT) FROM {pending}"))
            .await?;
        assert_eq!(n, ["0"], "{pending}");
    }
    // The name is free again.
    server.add_user(ANNA).await?;
    assert_eq!(server.sign_in(HOME, ANNA, PASSWORD).await?.status, 200);
    Ok(())
}

/// A profile with a list with an item.
fn family() -> serde_json::Value {
    let now = sync_tests::login_server::START_MS;
    let name = |n: u8| format!("0190a6e0-0000-7000-8000-0000000000a{n}");
    let row = |n: u8, row: serde_json::Value| json!({ "remote_id": name(n), "changed": { "*": now }, "row": row });
    json!({ "protocol": 1, "push_no": 1, "now": now, "tables": [
        { "table": "profiles", "rows": [row(1, json!({ "name": "P", "avatar": "x" }))] },
        { "table": "lists", "rows": [row(2, json!({ "profile_id": name(1), "name": "L" }))] },
        { "table": "list_items", "rows": [row(3, json!({ "list_id": name(2), "meta_id": "tt1", "type": "movie" }))] },
    ] })
}
