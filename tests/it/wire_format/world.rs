//! A server and a device whose clocks stand and whose names are counted, and all that passes between them.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use sync_core::{CountedIds, ManualClock, Transport, TransportError, schema::pin_clock};
use sync_tests::{InProcessServer, TestDb, TestDevice};

/// Noon of a day in 2026.
pub(super) const NOON: i64 = 1_772_020_800_000;

/// A server, a device, and what they said.
pub(super) struct World {
    pub(super) server: InProcessServer,
    pub(super) device: TestDevice,
    pub(super) wire: Arc<Recorder>,
}

impl World {
    pub(super) async fn new(database: TestDb) -> Result<Self> {
        let clock = Arc::new(ManualClock::new(NOON));
        let server =
            InProcessServer::zentrio(database, clock.clone(), Arc::new(CountedIds::new(1))).await?;
        server.add_user("u1").await?;
        pin_clock(&server.db, Some(NOON)).await?;
        let wire = Arc::new(Recorder {
            inner: server.transport("u1", 1),
            said: Mutex::default(),
        });
        let device =
            TestDevice::zentrio("u1", clock, Arc::new(CountedIds::new(2)), wire.clone()).await?;
        pin_clock(device.device.db(), Some(NOON - 1_000)).await?;
        Ok(Self {
            server,
            device,
            wire,
        })
    }

    /// What is said while the device syncs.
    pub(super) async fn said_in_sync(&self) -> Result<Vec<Value>> {
        self.wire.take();
        self.device.sync().await?;
        Ok(self.wire.take())
    }

    /// Sends a request as it is written here; the status and the body of the answer.
    pub(super) async fn ask(&self, method: &str, uri: &str, body: &Value) -> Result<Value> {
        let body = Bytes::from(if body.is_null() {
            Vec::new()
        } else {
            serde_json::to_vec(body)?
        });
        let request = Request::builder().method(method).uri(uri).body(body)?;
        let answer = self.server.transport("u1", 9).send(request).await?;
        let status = answer.status().as_u16();
        Ok(json!({ "status": status, "body": parsed(answer.body()) }))
    }
}

/// Passes on, and keeps what passed.
pub(super) struct Recorder {
    inner: Arc<dyn Transport>,
    said: Mutex<Vec<Value>>,
}

impl Recorder {
    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.said.lock().expect("nobody panics with it"))
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let asked = json!({ "request": format!("{} {}", request.method(), request.uri()), "body": parsed(request.body()) });
        let answer = self.inner.send(request).await?;
        let answered = json!({ "status": answer.status().as_u16(), "body": parsed(answer.body()) });
        self.said
            .lock()
            .expect("nobody panics with it")
            .extend([asked, answered]);
        Ok(answer)
    }
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

/// Compares with the snapshot of this name.
macro_rules! matches_snapshot {
    ($name:literal, $value:expr) => {
        let value = $value;
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true }, {
            insta::assert_json_snapshot!($name, value);
        });
    };
}
pub(super) use matches_snapshot;
