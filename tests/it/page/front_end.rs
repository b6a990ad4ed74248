//! The endpoints that the app's own front end calls.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sync_tests::{TestDb, on_both_backends, programs::ServerProgram, raw_http::Raw};

use super::{Device, EMAIL, PASSWORD, by_hand::address, serve};

on_both_backends!(
    the_apps_settings_page_works_as_it_did,
    only_a_token_of_that_account_connects,
);

const APP: &str = "tauri://localhost";

/// What the app's settings page does at the server, in its order.
async fn token(server: &ServerProgram) -> Result<(String, String)> {
    let post = |path: &str, body: &Value| {
        Raw::new(server.address, "POST", path).body("application/json", &body.to_string())
    };
    let login = json!({ "email": EMAIL, "password": PASSWORD, "rememberMe": true });
    let session: Value = read(&post("/api/auth/sign-in/email", &login)).await?;
    let session = session["token"].as_str().context("no session")?;
    let asked =
        post("/api/sync/token", &json!({})).header("Authorization", &format!("Bearer {session}"));
    let issued = read(&asked).await?;
    let word = |name: &str| issued[name].as_str().map(str::to_owned).context("no token");
    Ok((word("syncToken")?, word("userId")?))
}

/// The JSON of an answer, whose body may come in pieces.
async fn read(request: &Raw) -> Result<Value> {
    let answer = request.send().await?;
    ensure!(answer.status == 200, "{request:?}: {answer:?}");
    let (from, to) = (answer.body.find('{'), answer.body.rfind('}'));
    let (from, to) = from.zip(to).context("no JSON")?;
    Ok(serde_json::from_str(&answer.body[from..=to])?)
}

async fn the_apps_settings_page_works_as_it_did(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let device = Device::with(None, vec![APP.to_owned()]).await?;
    let at = address(&device)?;
    let ask = |method: &str, path: &str| Raw::new(at, method, path).header("Origin", APP);
    let before = read(&ask("GET", "/api/sync/config")).await?;
    let expected = json!({
        "mode": "unconfigured", "serverUrl": "https://zentrio.eu", "isConnected": false, "syncState": null,
    });
    ensure!(before == expected, "{before}");
    let nothing = ask("GET", "/api/sync/status").send().await?;
    ensure!(nothing.body == "null", "{nothing:?}");

    let (token, user_id) = token(&server).await?;
    let connect = json!({ "remoteUrl": server.url(), "token": token, "userId": user_id });
    let connect = ask("POST", "/api/sync/connect").body("application/json", &connect.to_string());
    ensure!(read(&connect).await? == json!({ "success": true }));
    device.add_profile("Zoë").await?;
    for path in ["/api/sync/sync", "/api/sync/trigger"] {
        ensure!(read(&ask("POST", path)).await? == json!({ "success": true }));
    }
    device.until_synced().await?;

    let config = read(&ask("GET", "/api/sync/config")).await?;
    ensure!(
        config["mode"] == "cloud" && config["isConnected"] == true,
        "{config}"
    );
    ensure!(config["serverUrl"] == json!(server.url()), "{config}");
    let status = read(&ask("GET", "/api/sync/status")).await?;
    for field in ["id", "remote_url", "remote_user_id"] {
        ensure!(
            status[field] == config["syncState"][field],
            "{status} {config}"
        );
    }
    ensure!(
        status["remote_url"] == json!(server.url()) && status["remote_user_id"] == json!(user_id)
    );
    ensure!(
        status["is_syncing"] == false && status["last_sync_at"].is_string(),
        "{status}"
    );
    for text in [config.to_string(), status.to_string()] {
        ensure!(
            !text.contains(&token) && !text.contains("zs1."),
            "a token is in {text}"
        );
    }

    ensure!(read(&ask("POST", "/api/sync/disconnect")).await? == json!({ "success": true }));
    let config = read(&ask("GET", "/api/sync/config")).await?;
    ensure!(
        config["isConnected"] == false && config["mode"] == "cloud",
        "{config}"
    );
    let refused = ask("POST", "/api/sync/sync").send().await?;
    ensure!(
        refused.status == 500 && refused.body.contains("\"success\":false"),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_proves_it_may_call_them() -> Result<()> {
    let device = Device::with(None, vec![APP.to_owned()]).await?;
    let at = address(&device)?;
    let file = std::fs::read_to_string(device.file().with_extension("sqlite.page"))?;
    let file: Value = serde_json::from_str(&file)?;
    ensure!(file["url"] == json!(device.page.url()), "{file}");
    let secret = format!("Bearer {}", file["secret"].as_str().context("no secret")?);
    let own = format!("http://{at}");
    for path in ["/api/sync/config", "/api/sync/status"] {
        let get = || Raw::new(at, "GET", path);
        for (asked, expected) in [
            (get(), 403),
            (get().header("Authorization", "Bearer wrong"), 403),
            (
                get()
                    .header("Origin", "https://evil.example")
                    .header("Authorization", &secret),
                403,
            ),
            (get().header("Origin", "tauri://evil"), 403),
            (get().header("Sec-Fetch-Site", "cross-site"), 403),
            (get().header("Sec-Fetch-Site", "none"), 403),
            (get().header("Authorization", &secret), 200),
            (get().header("Origin", APP), 200),
            (get().header("Sec-Fetch-Site", "same-origin"), 200),
            (get().header("Origin", &own), 200),
        ] {
            let answer = asked.send().await?;
            ensure!(answer.status == expected, "{asked:?}: {answer:?}");
            let allowed = answer.header("access-control-allow-origin");
            let is_app = format!("{asked:?}").contains("\"tauri://localhost\"");
            ensure!(allowed == is_app.then_some(APP), "{asked:?}: {answer:?}");
        }
    }
    // A browser asks before it lets the app's page send JSON.
    let may = Raw::new(at, "OPTIONS", "/api/sync/connect")
        .header("Origin", APP)
        .send()
        .await?;
    ensure!(
        may.status == 204 && may.header("access-control-allow-origin") == Some(APP),
        "{may:?}"
    );
    let may_not =
        Raw::new(at, "OPTIONS", "/api/sync/connect").header("Origin", "https://evil.example");
    ensure!(may_not.send().await?.status == 403);
    // The page itself is for nobody else.
    ensure!(
        Raw::new(at, "GET", "/")
            .header("Origin", APP)
            .send()
            .await?
            .status
            == 403
    );

    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(device.file().with_extension("sqlite.page"))?.permissions(),
    );
    ensure!(mode & 0o777 == 0o600, "{mode:o}");
    let path = device.file().with_extension("sqlite.page");
    device.page.stop().await;
    ensure!(!path.exists(), "the secret is still there");
    Ok(())
}

async fn only_a_token_of_that_account_connects(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let device = Device::with(None, vec![APP.to_owned()]).await?;
    let at = address(&device)?;
    let (token, user_id) = token(&server).await?;
    let connect = async |url: &str, token: &str, user_id: &str| {
        let body = json!({ "remoteUrl": url, "token": token, "userId": user_id });
        let ask = Raw::new(at, "POST", "/api/sync/connect").header("Origin", APP);
        ask.body("application/json", &body.to_string()).send().await
    };
    let nobody = "http://127.0.0.1:1";
    for (url, token, user_id, status, code) in [
        (
            server.url().as_str(),
            token.as_str(),
            "somebody-else",
            400,
            "usage",
        ),
        (&server.url(), "not-a-token", &user_id, 500, "unauthorized"),
        (&server.url(), "not a token", &user_id, 400, "usage"),
        (nobody, &token, &user_id, 502, "offline"),
    ] {
        let answer = connect(url, token, user_id).await?;
        ensure!(
            answer.status == status && answer.body.contains(code),
            "{code}: {answer:?}"
        );
        ensure!(!answer.body.contains(token), "the token is in {answer:?}");
        ensure!(!device.sync.status().borrow().overview.status.connected);
    }
    let users = device.rows("SELECT count(*) FROM user").await?;
    ensure!(users == ["0"], "an account was made: {users:?}");
    let connected = connect(&server.url(), &token, &user_id).await?;
    ensure!(connected.status == 200, "{connected:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_goes_where_it_must_not() -> Result<()> {
    let device = Device::with(None, vec![APP.to_owned()]).await?;
    let at = address(&device)?;
    for url in [
        "http://zentrio.eu",
        "file:///etc/passwd",
        "http://169.254.169.254",
        "https://169.254.169.254",
        "https://[fe80::1]",
        "https://a:b@zentrio.eu",
        "",
    ] {
        let connect = json!({ "remoteUrl": url, "token": "secret-token", "userId": "u1" });
        let connect = Raw::new(at, "POST", "/api/sync/connect")
            .header("Origin", APP)
            .body("application/json", &connect.to_string());
        let answer = connect.send().await?;
        ensure!(
            answer.status == 400 && !answer.body.contains("secret-token"),
            "{url}: {answer:?}"
        );
    }
    ensure!(!device.sync.status().borrow().overview.status.connected);
    Ok(())
}
