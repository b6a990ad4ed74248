//! An edit that goes back to the value before is forgotten, but only if nobody can have seen it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use sync_core::{SystemClock, Transport, TransportError, UuidV7, protocol::PUSH_PATH};
use sync_tests::{Backend, CapturedDb, InProcessServer, TestDb, TestDevice};

#[tokio::test]
async fn pu18_an_edit_that_was_never_sent_is_forgotten() -> Result<()> {
    let db = CapturedDb::device().await?;
    let head = "SELECT head FROM sync_account";
    let before = sync_tests::text_rows::text_row(&db.server().db, head).await?;
    db.sql("UPDATE lists SET name = 'Ours', is_default = TRUE; UPDATE lists SET name = 'Mine'")
        .await?;
    db.sql("UPDATE list_items SET title = ''; UPDATE list_items SET title = NULL")
        .await?;
    assert_eq!(db.pending().await?.len(), 4);

    db.sync().await?;

    assert_eq!(db.pending().await?, [""; 0]);
    let after = sync_tests::text_rows::text_row(&db.server().db, head).await?;
    assert_eq!(
        after.parse::<i64>()?,
        before.parse::<i64>()? + 1,
        "only is_default was pushed"
    );
    Ok(())
}

#[tokio::test]
async fn pu01_with_nothing_left_to_push_nothing_is_sent() -> Result<()> {
    let lossy = Arc::new(Lossy::on(server().await?));
    let device = device(&lossy).await?;
    device
        .sql("UPDATE lists SET name = 'Ours'; UPDATE lists SET name = 'Mine'")
        .await?;
    lossy.loses_answers.store(true, Ordering::SeqCst);

    let report = device.sync().await?;

    assert_eq!(report.n_pushed, 0);
    assert_eq!(device.pending().await?, [""; 0]);
    Ok(())
}

/// The server may hold what was undone, so it has to be told.
#[tokio::test]
async fn an_edit_whose_answer_was_lost_is_not_forgotten() -> Result<()> {
    let lossy = Arc::new(Lossy::on(server().await?));
    let device = device(&lossy).await?;
    device.sql("UPDATE lists SET name = 'Ours'").await?;
    lossy.loses_answers.store(true, Ordering::SeqCst);
    assert!(device.sync().await.is_err());
    assert_eq!(lossy.server_name().await?, "Ours");

    device.sql("UPDATE lists SET name = 'Mine'").await?;
    lossy.loses_answers.store(false, Ordering::SeqCst);
    device.sync().await?;

    assert_eq!(lossy.server_name().await?, "Mine");
    assert_eq!(device.pending().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn an_undone_edit_of_a_row_with_another_edit_keeps_that() -> Result<()> {
    let db = CapturedDb::device().await?;
    db.sql("UPDATE list_items SET title = 'x', poster = 'y' WHERE id = 1; UPDATE list_items SET title = NULL").await?;
    db.sync().await?;

    let other = db.another_device(2).await?;
    other.sync().await?;
    assert_eq!(
        other
            .rows("SELECT title, poster FROM list_items WHERE meta_id = 'tt1'")
            .await?,
        ["NULL|y"]
    );
    Ok(())
}

/// Both columns of a group have to be what they were.
#[tokio::test]
async fn a_group_half_undone_is_pushed() -> Result<()> {
    let db = CapturedDb::device().await?;
    db.sql("UPDATE watch_history SET position = 90, duration = 100; UPDATE watch_history SET position = 60").await?;
    db.sync().await?;

    let duration =
        sync_tests::text_rows::text_row(&db.server().db, "SELECT duration FROM watch_history")
            .await?;
    assert_eq!(duration, "100");
    Ok(())
}

/// A way to a server whose answers to a push can be lost.
struct Lossy {
    server: InProcessServer,
    loses_answers: AtomicBool,
}

impl Lossy {
    fn on(server: InProcessServer) -> Self {
        Self {
            server,
            loses_answers: AtomicBool::new(false),
        }
    }

    async fn server_name(&self) -> Result<String> {
        sync_tests::text_rows::text_row(&self.server.db, "SELECT name FROM lists").await
    }
}

#[async_trait]
impl Transport for Lossy {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let is_push = request.uri().path() == PUSH_PATH;
        let answer = self.server.transport("u1", 1).send(request).await;
        if is_push && self.loses_answers.load(Ordering::SeqCst) {
            return Err(TransportError::lost("cut off"));
        }
        answer
    }
}

async fn server() -> Result<InProcessServer> {
    let database = TestDb::new(Backend::Sqlite).await?;
    let server =
        InProcessServer::zentrio(database, Arc::new(SystemClock), Arc::new(UuidV7)).await?;
    server.add_user("u1").await?;
    Ok(server)
}

async fn device(lossy: &Arc<Lossy>) -> Result<TestDevice> {
    let transport: Arc<dyn Transport> = lossy.clone();
    let device =
        TestDevice::zentrio("u1", Arc::new(SystemClock), Arc::new(UuidV7), transport).await?;
    device
        .sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Anna', 'a')")
        .await?;
    device
        .sql("INSERT INTO lists (profile_id, name) VALUES (1, 'Mine')")
        .await?;
    device.sync().await?;
    Ok(device)
}
