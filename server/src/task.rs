//! Work that must not be cut off halfway.

use tracing::Instrument;

use crate::Error;

/// Runs `work` in a task of its own and waits for it.
///
/// A client that hangs up makes axum drop the handler. Dropped inside a database transaction, that
/// could leave a pooled Postgres connection in the middle of it; so whatever writes runs here, and
/// then only the waiting is dropped.
pub(crate) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work.in_current_span()).await?
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_any_more() {
        let (began, has_begun) = oneshot::channel();
        let (allow, allowed) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let waiting = tokio::spawn(detached(async move {
            let _ = began.send(());
            let _ = allowed.await;
            let _ = done.send(());
            Ok(())
        }));
        has_begun.await.expect("begun");
        waiting.abort();
        assert!(waiting.await.expect_err("cut off").is_cancelled());
        allow.send(()).expect("the work still waits");
        is_done.await.expect("the work was done");
    }
}
