//! R02: eight threads push at once, to one account and to eight; afterwards every count is exact.

use std::thread;

use anyhow::{Context, Result, ensure};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use sync_core::{
    Clock, Ids, SystemClock, UuidV7,
    http_transport::HttpTransport,
    protocol::{PUSH_PATH, TOKEN_PATH},
};
use sync_tests::{
    TestDb, on_both_backends, programs::ServerProgram, scene::new_row, snapshot::query,
};
use tokio::runtime;

on_both_backends!(
    r02_eight_threads_one_account,
    r02_eight_threads_eight_accounts
);

const N_THREADS: usize = 8;
const N_PUSHES: i64 = 100;
const PASSWORD: &str = "correct horse battery";

async fn r02_eight_threads_one_account(db: TestDb) -> Result<()> {
    exact(db, 1).await
}

async fn r02_eight_threads_eight_accounts(db: TestDb) -> Result<()> {
    exact(db, N_THREADS).await
}

async fn exact(db: TestDb, n_accounts: usize) -> Result<()> {
    for account in 0..n_accounts {
        ServerProgram::add_user_to(db.url(), &email(account), PASSWORD)?.with_code(0)?;
    }
    let server = ServerProgram::start(db.url())?;
    let threads: Vec<_> = (0..N_THREADS)
        .map(|number| {
            let (url, email) = (server.url(), email(number % n_accounts));
            thread::spawn(move || {
                let runtime = runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                runtime.block_on(push_all(&url, &email))
            })
        })
        .collect();
    for thread in threads {
        thread.join().ok().context("a thread panicked")??;
    }
    check(&db.connect().await?, n_accounts).await
}

/// The feed of each account has every position once, from the first to its end.
async fn check(db: &DatabaseConnection, n_accounts: usize) -> Result<()> {
    let each = N_PUSHES * i64::try_from(N_THREADS / n_accounts)?;
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
    let all = N_PUSHES * i64::try_from(N_THREADS)?;
    ensure!(query(db, rows).await? == [format!("{all} {all}")]);
    Ok(())
}

fn email(account: usize) -> String {
    format!("anna{account}@example.org")
}

async fn push_all(url: &str, email: &str) -> Result<()> {
    // Installs the TLS provider that reqwest needs to exist.
    HttpTransport::new(url, None)?;
    let http = reqwest::Client::new();
    let sign_in = json!({ "email": email, "password": PASSWORD, "rememberMe": true });
    let session = post(&http, url, "/api/auth/sign-in/email", None, &sign_in).await?;
    let session = session["token"].as_str();
    let token = post(&http, url, TOKEN_PATH, session, &json!({})).await?;
    let token = token["syncToken"].as_str();
    for push_no in 1..=N_PUSHES {
        let (name, now) = (UuidV7.next(), SystemClock.now_ms());
        let row = new_row(&name, now, json!({"name": name, "avatar": "x"}));
        let tables = json!([{"table": "profiles", "rows": [row]}]);
        let body = json!({"protocol": 1, "push_no": push_no, "now": now, "tables": tables});
        let answer = post(&http, url, PUSH_PATH, token, &body).await?;
        let verdict = &answer["tables"][0]["rows"][0]["verdict"];
        ensure!(verdict == "applied", "{answer}");
    }
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
