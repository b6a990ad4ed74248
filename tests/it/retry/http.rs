//! Odd servers over HTTP: what the device makes of them with the transport that people use.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use sync_core::{
    SyncError, SystemClock, UuidV7,
    backoff::{LONGEST, delay},
    http_transport::HttpTransport,
    protocol::{ErrorBody, ErrorCode, PullPage, PushAnswer},
};
use sync_tests::{MockSyncServer, TestDevice};

#[tokio::test]
async fn rt08_a_pull_that_fails_is_tried_later_from_the_same_place() -> Result<()> {
    let server = MockSyncServer::start().await;
    server.mock_pull().ok(&page("e.7")).at_most(1).mount().await;
    server.mock_pull().status(500).at_most(1).mount().await;
    server.mock_pull().ok(&page("e.7")).mount().await;
    let device = device(&server).await?;
    device.sync().await?;
    let error = device.sync().await.err().context("it failed")?;
    assert_eq!((error.word(), error.is_retryable()), ("http_500", true));
    assert_eq!(device.device.state().await?.cursor.as_deref(), Some("e.7"));
    device.sync().await?;
    let asked = server.pulls().await;
    let cursors: Vec<_> = asked
        .iter()
        .map(|request| {
            request
                .url
                .query()
                .unwrap_or_default()
                .contains("cursor=e.7")
        })
        .collect();
    assert_eq!(cursors, [false, true, true]);
    Ok(())
}

#[tokio::test]
async fn rt09_a_portal_is_told_from_a_server() -> Result<()> {
    let server = MockSyncServer::start().await;
    server.mock_push().html_portal().mount().await;
    server.mock_pull().html_portal().mount().await;
    let device = device(&server).await?;
    for pending in [0, 1] {
        let error = device.sync().await.err().context("it failed")?;
        assert!(matches!(error, SyncError::NotASyncServer(_)), "{error:?}");
        assert!(
            error.is_retryable(),
            "the network changes when its user has logged in"
        );
        assert_eq!(device.pending().await?.len(), pending);
        if pending == 0 {
            device
                .sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Kids', 'x')")
                .await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn rt10_half_an_answer_is_no_answer() -> Result<()> {
    let server = MockSyncServer::start().await;
    server
        .mock_pull()
        .truncated_body(&page("e.1"))
        .mount()
        .await;
    let answer = PushAnswer {
        epoch: "e".into(),
        before: "0".into(),
        after: "e.1".into(),
        tables: vec![],
    };
    server.mock_push().truncated_body(&answer).mount().await;
    let device = device(&server).await?;
    for _ in 0..2 {
        let error = device.sync().await.err().context("it failed")?;
        assert!(matches!(error, SyncError::NotASyncServer(_)), "{error:?}");
        device
            .sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Kids', 'x')")
            .await?;
    }
    assert_eq!(device.device.state().await?.cursor, None);
    assert_eq!(device.pending().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn rt02_a_connection_that_ends_is_no_answer() -> Result<()> {
    let server = MockSyncServer::start().await;
    server.mock_push().connection_lost().mount().await;
    let device = device(&server).await?;
    device
        .sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Kids', 'x')")
        .await?;
    let error = device.sync().await.err().context("it failed")?;
    assert!(
        matches!(error, SyncError::Transport(_)) && error.is_retryable(),
        "{error:?}"
    );
    assert_eq!(device.pending().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn rt13_no_server_at_all_is_being_offline() -> Result<()> {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let device = device_of(&format!("http://127.0.0.1:{port}")).await?;
    let error = device.sync().await.err().context("it failed")?;
    assert!(error.is_offline(), "{error:?}");
    assert!(!error.to_string().contains("token-of-the-test"));
    Ok(())
}

#[tokio::test]
async fn rt12_a_busy_server_says_how_long_to_wait() -> Result<()> {
    let seconds = |n| Duration::from_secs(n);
    for status in [429, 503] {
        let server = MockSyncServer::start().await;
        server
            .mock_pull()
            .status(status)
            .retry_after(seconds(7))
            .at_most(1)
            .mount()
            .await;
        server
            .mock_pull()
            .status(status)
            .retry_after(seconds(1_000_000))
            .at_most(1)
            .mount()
            .await;
        server.mock_pull().status(status).mount().await;
        let device = device(&server).await?;
        for (asked, least) in [
            (Some(seconds(7)), seconds(7)),
            (Some(seconds(1_000_000)), LONGEST),
            (None, seconds(2)),
        ] {
            let error = device.sync().await.err().context("it failed")?;
            assert!(error.is_retryable());
            assert_eq!(error.retry_after(), asked, "{status}");
            let wait = delay(1, error.retry_after(), 0.0);
            assert!(least <= wait && wait <= LONGEST, "{status}: {wait:?}");
        }
    }
    Ok(())
}

/// The other form that HTTP has for it, which proxies send.
#[tokio::test]
async fn rt12_also_as_a_date() -> Result<()> {
    let response = http::Response::builder()
        .header("retry-after", "Tue, 31 Dec 2999 23:59:59 GMT")
        .body(())?;
    let wait = sync_core::transport::retry_after(&response);
    assert!(
        wait.is_some_and(|wait| wait > Duration::from_secs(60)),
        "{wait:?}"
    );
    Ok(())
}

/// What is wrong with the request or the login does not get better by repeating it.
#[tokio::test]
async fn rt11_what_cannot_succeed_is_not_tried_again() -> Result<()> {
    for (code, retryable) in [
        (ErrorCode::BadRequest, false),
        (ErrorCode::UnsupportedProtocol, false),
        (ErrorCode::EpochChanged, false),
        (ErrorCode::CursorAhead, false),
        (ErrorCode::Unavailable, true),
        (ErrorCode::Internal, true),
    ] {
        let server = MockSyncServer::start().await;
        let body = ErrorBody::new(code.as_str(), "the test wants it so");
        server
            .mock_pull()
            .refused_with(code, &body)
            .expect(1)
            .mount()
            .await;
        let device = device(&server).await?;
        let error = device.sync().await.err().context("it failed")?;
        assert_eq!(
            (error.code(), error.is_retryable()),
            (Some(code), retryable),
            "{error:?}"
        );
        let told = device.status().await?.last_error.unwrap_or_default();
        assert!(
            told.starts_with(code.as_str()) && told.contains("the test wants it so"),
            "{told}"
        );
    }
    Ok(())
}

/// The token goes to the server it was made for, and to no other.
#[tokio::test]
async fn rt09_a_redirect_does_not_carry_the_token_away() -> Result<()> {
    let (server, elsewhere) = (MockSyncServer::start().await, MockSyncServer::start().await);
    elsewhere
        .mock_pull()
        .ok(&page("e.1"))
        .expect(0)
        .mount()
        .await;
    server.mock_pull().status(307).mount().await;
    let device = device(&server).await?;
    let error = device.sync().await.err().context("it failed")?;
    assert_eq!(error.word(), "http_307");
    assert_eq!(elsewhere.pulls().await.len(), 0);
    Ok(())
}

async fn device(server: &MockSyncServer) -> Result<TestDevice> {
    device_of(&server.url()).await
}

async fn device_of(url: &str) -> Result<TestDevice> {
    let transport = HttpTransport::new(url, Some("token-of-the-test".to_owned()))?;
    TestDevice::zentrio(
        "u1",
        Arc::new(SystemClock),
        Arc::new(UuidV7),
        Arc::new(transport),
    )
    .await
}

fn page(cursor: &str) -> PullPage {
    PullPage {
        epoch: "e".into(),
        cursor: cursor.into(),
        head: cursor.into(),
        has_more: false,
        tables: vec![],
        schema: None,
    }
}
