//! Starting and stopping, over a real socket.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::harness::TestServer;
use crate::{Running, start};

async fn running() -> (TestServer, Running) {
    let server = TestServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let running = start(server.state.clone(), listener).expect("running");
    (server, running)
}

/// Reads until `end` has come, or the connection ends.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while !text.contains(end) {
        match stream.read(&mut buffer).await.expect("read") {
            0 => break,
            n => text.push_str(&String::from_utf8_lossy(&buffer[..n])),
        }
    }
    text
}

#[tokio::test]
async fn a_stopped_server_answers_no_more() {
    let (_server, running) = running().await;
    let address = running.address();
    assert_eq!(running.url(), format!("http://{address}"));
    let mut stream = TcpStream::connect(address).await.expect("connection");
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("write");
    assert!(
        read_until(&mut stream, "}")
            .await
            .starts_with("HTTP/1.1 200 OK")
    );
    running.stop().await.expect("stopped");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_that_has_begun_is_answered_before_the_end() {
    let (_server, running) = running().await;
    let mut stream = TcpStream::connect(running.address())
        .await
        .expect("connection");
    let head = "POST /api/auth/sign-in/email HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Expect: 100-continue\r\nContent-Length: 30\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("write");
    // The server asks for the body, so its handler runs.
    assert!(
        read_until(&mut stream, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 100")
    );
    let stopping = tokio::spawn(running.stop());
    stream
        .write_all(br#"{"email":"a@b","password":"x"}"#)
        .await
        .expect("write");
    assert!(
        read_until(&mut stream, "}")
            .await
            .starts_with("HTTP/1.1 401")
    );
    stopping.await.expect("task").expect("stopped");
}
