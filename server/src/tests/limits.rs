//! What a stranger's connection may do, over a real socket.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use http::{Method, header};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::harness::{TestServer, request};
use crate::{BodyLimits, ConnectionLimits, Running, start};

const SHORT: Duration = Duration::from_millis(300);
/// So much longer than [`SHORT`] that a busy machine does not matter.
const LONG: Duration = Duration::from_secs(60);

async fn running(most: usize) -> (TestServer, Running) {
    let server = TestServer::start_with(|config| {
        config.connections = ConnectionLimits {
            most,
            head: SHORT,
            ..ConnectionLimits::default()
        };
        config.body = BodyLimits {
            whole: LONG,
            silence: SHORT,
        };
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let running = start(server.state.clone(), listener).expect("running");
    (server, running)
}

async fn connect(running: &Running) -> TcpStream {
    TcpStream::connect(running.address())
        .await
        .expect("connection")
}

/// All that comes until the other end closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut bytes));
    // A reset is an end, too.
    let _ = read.await.expect("the server closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn answer_to(running: &Running, request: &[u8]) -> String {
    let mut stream = connect(running).await;
    stream.write_all(request).await.expect("write");
    rest(&mut stream).await
}

async fn is_served(running: &Running) -> bool {
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    answer_to(running, request)
        .await
        .starts_with("HTTP/1.1 200")
}

#[tokio::test]
async fn h05_a_head_that_does_not_come_is_not_waited_for() {
    let (_server, running) = running(10).await;
    let begun = Instant::now();
    let mut slow = connect(&running).await;
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHo")
        .await
        .expect("write");
    assert!(is_served(&running).await);
    rest(&mut slow).await;
    assert!(begun.elapsed() >= SHORT);
    // One that says nothing at all neither.
    rest(&mut connect(&running).await).await;
    running.stop().await.expect("stop");
}

#[tokio::test]
async fn h02_a_body_that_does_not_come_is_not_waited_for() {
    let (server, running) = running(10).await;
    let token = server.sync_token().await;
    let head = format!(
        "POST /api/sync/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
    );
    let answer = answer_to(&running, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_timeout"), "{answer}");
    running.stop().await.expect("stop");
}

#[tokio::test]
async fn h08_too_many_connections_are_told_to_come_later() {
    let (_server, running) = running(2).await;
    let held = [connect(&running).await, connect(&running).await];
    // Until both are taken there may still be a place.
    let refused = loop {
        let answer = answer_to(&running, b"").await;
        if answer.starts_with("HTTP/1.1 503") {
            break answer;
        }
    };
    assert!(refused.contains("Retry-After"), "{refused}");
    drop(held);
    while !is_served(&running).await {}
    running.stop().await.expect("stop");
}

#[tokio::test]
async fn h10_long_addresses_and_heads_are_refused() {
    let (_server, running) = running(10).await;
    for (bytes, status) in [(9 << 10, "414"), (100 << 10, "414"), (200 << 10, "431")] {
        let path = "x".repeat(bytes);
        let request = format!("GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let mut stream = connect(&running).await;
        // The server may close before all of it is written.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{bytes}: {answer}"
        );
    }
    assert!(is_served(&running).await);
    running.stop().await.expect("stop");
}

/// What two servers behind one another could read in two ways is read by none.
#[tokio::test]
async fn h11_an_ambiguous_request_is_refused_and_its_connection_closed() {
    let (_server, running) = running(10).await;
    let next = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for head in [
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length : 4",
        "Content-Length: +4",
        "Content-Length: 4\r\n folded: 1",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "X: a\rb",
        "X: a\0b",
        "no colon",
    ] {
        let request = format!("POST /healthz HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\nabcd{next}");
        let answer = answer_to(&running, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
        assert!(!answer.contains("200 OK"), "{head:?}: {answer}");
    }
    assert!(is_served(&running).await);
    running.stop().await.expect("stop");
}

/// Streams inside a connection would each need a limit of their own.
#[tokio::test]
async fn h18_http_2_is_not_spoken() {
    let (_server, running) = running(10).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let answer = answer_to(&running, preface).await;
    assert!(!answer.contains("200"), "{answer}");
    assert!(is_served(&running).await);
    running.stop().await.expect("stop");
}

/// RFC 9112 lets a server go by the chunks alone; it must not go by both.
#[tokio::test]
async fn h11_of_two_lengths_the_chunks_count() {
    let (_server, running) = running(10).await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    let request = format!(
        "POST /api/auth/sign-out HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{hidden}\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        hidden.len()
    );
    let answers = answer_to(&running, request.as_bytes()).await;
    assert!(!answers.contains("HTTP/1.1 404"), "{answers}");
    running.stop().await.expect("stop");
}

#[tokio::test]
async fn h04_a_compressed_body_is_read_and_a_bomb_is_not() {
    let server = TestServer::start().await;
    let token = server.sync_token().await;
    let send = |encoding: &'static str, body: Vec<u8>| {
        request(Method::POST, "/api/sync/push")
            .bearer(&token)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_ENCODING, encoding)
            .body(body)
    };
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("write");
        encoder.finish().expect("finish")
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).expect("encode");
    let push = json!({"protocol": 1, "push_no": 1, "now": 0, "tables": []}).to_string();
    for (encoding, body) in [
        ("gzip", gzip(push.as_bytes())),
        ("zstd", zstd(push.as_bytes())),
    ] {
        let answer = server.send(send(encoding, body)).await;
        assert_eq!(answer.status, 200, "{encoding}: {:?}", answer.body);
        assert_eq!(answer.headers[header::ACCEPT_ENCODING], "zstd, gzip");
    }
    let zeros = vec![b' '; 512 << 20];
    for (encoding, bomb) in [("gzip", gzip(&zeros)), ("zstd", zstd(&zeros))] {
        let answer = server.send(send(encoding, bomb)).await;
        answer.is_error(413, "body_too_large");
    }
    for (encoding, body) in [("br", vec![1]), ("gzip, gzip", gzip(&gzip(b"{}")))] {
        let answer = server.send(send(encoding, body)).await;
        answer.is_error(415, "unsupported_media_type");
    }
    let cut = gzip(push.as_bytes());
    let answer = server
        .send(send("gzip", cut[..cut.len() - 9].to_vec()))
        .await;
    answer.is_error(400, "bad_request");
}
