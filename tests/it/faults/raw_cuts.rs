//! F20: a push whose connection ends at any of its bytes changes nothing; the whole of it is taken once.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sync_core::{Clock, SystemClock, protocol::PUSH_PATH};
use sync_tests::{HttpServer, TestDb, on_both_backends, scene::new_row, snapshot::query};

on_both_backends!(f20_a_push_that_ends_at_any_byte);

const ROW: &str = "0190a6e0-0000-7000-8000-0000000000a1";

async fn f20_a_push_that_ends_at_any_byte(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    server.add_user("anna@example.org").await?;
    let token = server.token("anna@example.org").await?;
    let request = request(&token);
    let address = server.url().replace("http://", "");
    let at_server = server.database().connect().await?;
    for at in 0..request.len() {
        let part = request.as_bytes()[..at].to_vec();
        let address = address.clone();
        let answer = tokio::task::spawn_blocking(move || send(&address, &part, true)).await??;
        ensure!(!answer.starts_with("HTTP/1.1 200"), "cut at {at}: {answer}");
        let feed = query(&at_server, "SELECT CAST(count(*) AS TEXT) FROM sync_feed").await?;
        ensure!(feed == ["0"], "cut at {at}: {feed:?}");
    }
    let whole = request.into_bytes();
    let answer = tokio::task::spawn_blocking(move || send(&address, &whole, false)).await??;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let rows = "SELECT name FROM profiles";
    ensure!(query(&at_server, rows).await? == ["Whole"]);
    Ok(())
}

fn request(token: &str) -> String {
    let now = SystemClock.now_ms();
    let row = new_row(ROW, now, json!({"name": "Whole", "avatar": "x"}));
    let tables = json!([{"table": "profiles", "rows": [row]}]);
    let body = json!({"protocol": 1, "push_no": 1, "now": now, "tables": tables}).to_string();
    format!(
        "POST {PUSH_PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends so much, and perhaps nothing more ever; what the server says to that before it closes the connection.
fn send(address: &str, bytes: &[u8], cut: bool) -> Result<String> {
    let mut stream = TcpStream::connect(address).context("no connection")?;
    stream.write_all(bytes)?;
    if cut {
        stream.shutdown(Shutdown::Write)?;
    }
    let mut answer = Vec::new();
    // The server may reset what ends in the middle.
    let _ = stream.read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
