//! One who pushes row after row, as fast as it goes.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use anyhow::{Context, Result, ensure};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use sync_core::{
    Clock, Ids, SystemClock, UuidV7,
    http_transport::HttpTransport,
    protocol::{PUSH_PATH, TOKEN_PATH},
};
use sync_tests::{scene::new_row, snapshot::query};
use tokio::runtime;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A device that pushes profiles, one in a push.
pub(crate) struct Load {
    pub(crate) url: String,
    pub(crate) email: String,
    pub(crate) n_pushes: i64,
    /// Counts the pushes of all.
    pub(crate) n_done: Arc<AtomicI64>,
    /// Whether a push that was not answered is sent again until it is.
    pub(crate) insists: bool,
}

impl Load {
    /// Pushes all of it, on a thread of its own.
    pub(crate) fn run(&self) -> Result<()> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.push_all())
    }

    async fn push_all(&self) -> Result<()> {
        let token = sync_token(&self.url, &self.email).await?;
        // Each request over a connection of its own, so that a proxy can choose anew.
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .build()?;
        for push_no in 1..=self.n_pushes {
            let (name, now) = (UuidV7.next(), SystemClock.now_ms());
            let row = new_row(&name, now, json!({"name": name, "avatar": "x"}));
            let tables = json!([{"table": "profiles", "rows": [row]}]);
            let body = json!({"protocol": 1, "push_no": push_no, "now": now, "tables": tables});
            let answer = self.push(&http, &token, &body).await?;
            let verdict = &answer["tables"][0]["rows"][0]["verdict"];
            // What was taken before the answer was lost is there already.
            let taken = verdict == "applied" || self.insists && verdict == "unchanged";
            ensure!(taken, "{answer}");
            self.n_done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn push(&self, http: &reqwest::Client, token: &str, body: &Value) -> Result<Value> {
        for _ in 0..100 {
            match post(http, &self.url, PUSH_PATH, Some(token), body).await {
                Err(_) if self.insists => {}
                result => return result,
            }
        }
        anyhow::bail!("100 times in vain")
    }
}

/// Logs a device in.
pub(crate) async fn sync_token(url: &str, email: &str) -> Result<String> {
    // Installs the TLS provider that reqwest needs to exist.
    HttpTransport::new(url, None)?;
    let http = reqwest::Client::new();
    let sign_in = json!({ "email": email, "password": PASSWORD, "rememberMe": true });
    let session = post(&http, url, "/api/auth/sign-in/email", None, &sign_in).await?;
    let session = session["token"].as_str();
    let token = post(&http, url, TOKEN_PATH, session, &json!({})).await?;
    let token = token["syncToken"].as_str();
    Ok(token.context("no token")?.to_owned())
}

/// The feed of each account has every position once, from the first to its end, and every row is there once.
pub(crate) async fn check(
    db: &DatabaseConnection,
    n_accounts: usize,
    n_pushes: i64,
    n_threads: usize,
) -> Result<()> {
    let each = n_pushes * i64::try_from(n_threads / n_accounts)?;
    let accounts = query(
        db,
        "SELECT CAST(count(*) AS TEXT) || ' ' || CAST(count(DISTINCT f.seq) AS TEXT) || ' ' || CAST(min(f.seq) AS TEXT)
           || ' ' || CAST(max(f.seq) AS TEXT) || ' ' || CAST(max(a.head) AS TEXT)
         FROM sync_feed f JOIN sync_account a ON a.id = f.account GROUP BY f.account",
    )
    .await?;
    ensure!(accounts.len() == n_accounts, "{accounts:?}");
    for account in accounts {
        ensure!(
            account == format!("{each} {each} 1 {each} {each}"),
            "{account}"
        );
    }
    let rows =
        "SELECT CAST(count(*) AS TEXT) || ' ' || CAST(count(DISTINCT name) AS TEXT) FROM profiles";
    let all = n_pushes * i64::try_from(n_threads)?;
    ensure!(query(db, rows).await? == [format!("{all} {all}")]);
    Ok(())
}

async fn post(
    http: &reqwest::Client,
    url: &str,
    path: &str,
    bearer: Option<&str>,
    body: &Value,
) -> Result<Value> {
    let mut request = http.post(format!("{url}{path}")).json(body);
    if let Some(bearer) = bearer {
        request = request.bearer_auth(bearer);
    }
    let answer = request.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    ensure!(status.is_success(), "{path}: {status} {text}");
    Ok(serde_json::from_str(&text)?)
}
