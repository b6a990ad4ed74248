//! Bodies go out compressed to servers that say they read them, and to no others.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Method, Request};
use sync_core::{Transport, http_transport::HttpTransport};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

/// Long enough to be worth it.
fn words() -> Bytes {
    Bytes::from("[\"watch_history\"]".repeat(500))
}

async fn send(transport: &HttpTransport) -> Result<u16> {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/sync/push");
    let answer = transport.send(request.body(words())?).await?;
    Ok(answer.status().as_u16())
}

/// Of each request the server got: how it was encoded, and its body.
async fn heard(server: &MockServer) -> Result<Vec<(Option<String>, Vec<u8>)>> {
    let requests = server.received_requests().await.context("not recorded")?;
    let encoding = |request: &wiremock::Request| {
        let value = request.headers.get("content-encoding")?;
        value.to_str().ok().map(str::to_owned)
    };
    Ok(requests
        .iter()
        .map(|request| (encoding(request), request.body.clone()))
        .collect())
}

#[tokio::test]
async fn a_server_that_says_nothing_gets_plain_bodies() -> Result<()> {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).insert_header("accept-encoding", "gzip");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let transport = HttpTransport::new(&server.uri(), None)?;
    for _ in 0..2 {
        send(&transport).await?;
    }
    assert_eq!(heard(&server).await?, vec![(None, words().to_vec()); 2]);
    Ok(())
}

#[tokio::test]
async fn a_server_that_reads_zstd_gets_it_from_the_second_request_on() -> Result<()> {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).insert_header("accept-encoding", "zstd, gzip");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let transport = HttpTransport::new(&server.uri(), None)?;
    for _ in 0..2 {
        send(&transport).await?;
    }
    let heard = heard(&server).await?;
    assert_eq!(heard[0], (None, words().to_vec()));
    assert_eq!(heard[1].0.as_deref(), Some("zstd"));
    assert!(heard[1].1.len() * 10 < words().len());
    assert_eq!(zstd::decode_all(heard[1].1.as_slice())?, words());
    Ok(())
}

/// It was replaced by an older one meanwhile.
#[tokio::test]
async fn a_server_that_no_longer_reads_it_gets_the_same_plain() -> Result<()> {
    let server = MockServer::start().await;
    let newer = ResponseTemplate::new(200).insert_header("accept-encoding", "zstd");
    Mock::given(any())
        .respond_with(newer)
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let squeezed = |request: &wiremock::Request| request.headers.contains_key("content-encoding");
    Mock::given(squeezed)
        .respond_with(ResponseTemplate::new(415))
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let transport = HttpTransport::new(&server.uri(), None)?;
    for _ in 0..3 {
        assert_eq!(send(&transport).await?, 200);
    }
    let encodings: Vec<_> = heard(&server)
        .await?
        .into_iter()
        .map(|each| each.0)
        .collect();
    let zstd = Some("zstd".to_owned());
    assert_eq!(encodings, [None, zstd, None, None]);
    Ok(())
}
