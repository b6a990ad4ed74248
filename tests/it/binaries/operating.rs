//! What an operator reads of a server that runs: its log and its metrics.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sync_tests::{
    TestDb, on_both_backends,
    programs::{ServerProgram, until},
};

use super::{EMAIL, PASSWORD, all_agree, device};

on_both_backends!(
    h21_the_log_is_lines_of_json_with_ids_and_without_secrets,
    metrics_count_what_was_asked,
    f41_a_server_out_of_file_descriptors_recovers,
);

fn start(db: &TestDb) -> Result<ServerProgram> {
    ServerProgram::add_user_to(db.url(), EMAIL, PASSWORD)?.with_code(0)?;
    let flags = ["--log-format", "json", "--metrics-listen", "127.0.0.1:0"];
    ServerProgram::start_with(db.url(), &flags, "trace,sqlx=off")
}

/// The lines of the log, which all are JSON but for the two that tell addresses.
fn lines(said: &str) -> Result<Vec<Value>> {
    let told = |line: &&str| !line.starts_with("listening on") && !line.starts_with("metrics on");
    let lines = said.lines().filter(told);
    lines
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}

/// A client of the web. The first transport installs what its TLS needs to exist.
fn web() -> Result<reqwest::Client> {
    sync_core::http_transport::HttpTransport::new("http://127.0.0.1:1", None)?;
    Ok(reqwest::Client::new())
}

async fn h21_the_log_is_lines_of_json_with_ids_and_without_secrets(db: TestDb) -> Result<()> {
    let server = start(&db)?;
    let http = web()?;
    let secrets = [
        "tok\u{e9}n-of-a-stranger",
        "hunter2-hunter2",
        "s3cr3t-in-a-query",
    ];
    let refused = http
        .get(format!(
            "{}/api/sync/pull?cursor={}",
            server.url(),
            secrets[2]
        ))
        .header("authorization", format!("Bearer {}", secrets[0]))
        .header("user-agent", "two\tlines\u{e9}")
        .send()
        .await?;
    let id = refused.headers()["x-request-id"].to_str()?.to_owned();
    let body = json!({"email": "a\nFAKE LINE@example.org", "password": secrets[1], "name": "x\r\nFAKE LINE"});
    for path in [
        "/api/auth/sign-in/email",
        "/api/auth/sign-up/email",
        "/api/%0aFAKE LINE",
    ] {
        http.post(server.url() + path).json(&body).send().await?;
    }
    let device = device(&server.url())?;
    device
        .sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zo\u{eb}', 'z' FROM user")?;
    device.sync()?;
    let said = server.stop()?.stderr;
    let lines = lines(&said)?;
    ensure!(
        lines.iter().any(|line| line["span"]["id"] == json!(id)),
        "the id {id} is in no line: {said}"
    );
    for secret in secrets.iter().chain([&PASSWORD]) {
        ensure!(!said.contains(secret), "{secret} is in the log");
    }
    ensure!(!said.contains("Zo\u{eb}"), "a row is in the log");
    Ok(())
}

async fn metrics_count_what_was_asked(db: TestDb) -> Result<()> {
    let server = start(&db)?;
    let device = device(&server.url())?;
    device.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'A', 'z' FROM user")?;
    device.sync()?;
    let web = web()?;
    web.get(server.url() + "/made/up/by/a/stranger")
        .send()
        .await?;
    let said = server.said();
    let url = said
        .lines()
        .find_map(|line| line.strip_prefix("metrics on "));
    let metrics = web
        .get(url.context("no metrics")?)
        .send()
        .await?
        .text()
        .await?;
    for wanted in [
        "zentrio_http_requests_total{route=\"/api/sync/push\",method=\"POST\",status=\"200\"} 1",
        "zentrio_http_requests_total{route=\"none\",method=\"GET\",status=\"404\"} 1",
        "zentrio_pushed_rows_total{verdict=\"applied\"} 1",
        "zentrio_database_up 1",
        "# TYPE zentrio_http_request_seconds histogram",
    ] {
        ensure!(metrics.contains(wanted), "{wanted} is not in\n{metrics}");
    }
    ensure!(!metrics.contains("stranger"), "{metrics}");
    // Not where everybody can ask.
    let public = web.get(server.url() + "/metrics").send().await?;
    ensure!(public.status() == 404, "{public:?}");
    Ok(())
}

async fn f41_a_server_out_of_file_descriptors_recovers(db: TestDb) -> Result<()> {
    ServerProgram::add_user_to(db.url(), EMAIL, PASSWORD)?.with_code(0)?;
    let server = ServerProgram::start_with_files(db.url(), 64)?;
    let device = device(&server.url())?;
    let idle: Vec<_> = (0..100)
        .map(|_| std::net::TcpStream::connect(server.address))
        .collect::<Result<_, _>>()?;
    until("the server is out of descriptors", async || {
        Ok(server.said().contains("cannot take a connection"))
    })
    .await?;
    drop(idle);
    device.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'A', 'z' FROM user")?;
    until("the server takes connections again", async || {
        Ok(device.zentrio(&["sync"])?.code == Some(0))
    })
    .await?;
    all_agree(&db, &[&device]).await
}
