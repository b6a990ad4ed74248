//! Servers whose answers never come to an end, or are not what they should be.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use sync_core::{SystemClock, Transport, TransportError, UuidV7, protocol::PULL_PATH};
use sync_tests::TestDevice;

/// Answers each pull with what is made of its number, and nothing else.
struct Pages<F> {
    page: F,
    n: AtomicU64,
}

#[async_trait]
impl<F: Fn(u64) -> String + Send + Sync> Transport for Pages<F> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if request.uri().path() != PULL_PATH {
            return Err(TransportError::lost("nothing but pulls is answered"));
        }
        let body = (self.page)(self.n.fetch_add(1, Ordering::SeqCst));
        Ok(Response::new(body.into()))
    }
}

/// A device that has a profile of its own, and what its server answers.
async fn device<F>(page: F) -> Result<(TestDevice, Arc<Pages<F>>)>
where
    F: Fn(u64) -> String + Send + Sync + 'static,
{
    let server = Arc::new(Pages {
        page,
        n: AtomicU64::new(0),
    });
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(UuidV7));
    let device = TestDevice::zentrio("u1", clock, ids, server.clone()).await?;
    Ok((device, server))
}

fn page(cursor: u64, has_more: bool, tables: &Value) -> String {
    let page = json!({
        "epoch": "e", "cursor": cursor.to_string(), "head": "99999999", "has_more": has_more, "tables": tables,
    });
    page.to_string()
}

#[tokio::test]
async fn l15_empty_pages_without_end_are_given_up() -> Result<()> {
    let (device, server) = device(|n| page(n + 1, true, &json!([]))).await?;
    let error = device.sync().await.expect_err("no end");
    assert_eq!(error.word(), "not_a_sync_server", "{error}");
    assert!(server.n.load(Ordering::SeqCst) < 1_000);
    Ok(())
}

#[tokio::test]
async fn l15_json_that_is_too_deep_is_refused() -> Result<()> {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [200, 100_000] {
        let rows = format!(
            "[{{\"remote_id\":\"0190f1c2-7e3a-7b3c-8d2e-0a1b2c3d4e5f\",\"at\":1,\"row\":{{\"name\":{}}}}}]",
            deep(depth)
        );
        let body = page(1, false, &json!([{ "table": "lists", "rows": "ROWS" }]));
        let body = body.replace("\"ROWS\"", &rows);
        let (device, _) = device(move |_| body.clone()).await?;
        // It may be set aside, or the whole answer refused: nothing else may happen.
        let _ = device.sync().await;
        assert_eq!(device.one("SELECT count(*) FROM lists").await?, "0");
        let (device, _) = self::device({
            let body = deep(depth);
            move |_| body.clone()
        })
        .await?;
        let error = device.sync().await.expect_err("no page");
        assert_eq!(error.word(), "not_a_sync_server", "{error}");
    }
    Ok(())
}
