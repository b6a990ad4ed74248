//! A server that answers as a test says, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::{Value, json};
use sync_core::{Transport, TransportError};

use crate::Network;

/// What a test wants to know of a request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The `Authorization` header, or `-`.
    pub(crate) shown: String,
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn line(&self) -> String {
        format!("{} {} {}", self.method, self.path, self.shown)
    }
}

type Answer = Result<Response<Bytes>, TransportError>;
type Behaviour = dyn Fn(&Asked) -> Answer + Send + Sync;

/// Is both the server and the way to it. Clones are the same server.
#[derive(Clone)]
pub(crate) struct FakeServer {
    behaviour: Arc<Behaviour>,
    requests: Arc<Mutex<Vec<Asked>>>,
    token: Option<String>,
}

impl FakeServer {
    pub(crate) fn new(behaviour: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            behaviour: Arc::new(behaviour),
            requests: Arc::default(),
            token: None,
        }
    }

    /// Logs anybody in as Anna.
    pub(crate) fn zentrio() -> Self {
        Self::new(|asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/api/auth/sign-in/email") => {
                let anna = json!({ "id": "u1", "email": "anna@example.org", "name": "Anna", "image": null });
                answer(
                    200,
                    &json!({ "redirect": false, "token": "session-1", "user": anna }),
                )
            }
            ("POST", "/api/sync/token") => answer(
                200,
                &json!({ "syncToken": "sync-1", "userId": "u1", "expiresAt": "2030-01-01T00:00:00.000Z" }),
            ),
            ("GET", "/api/sync/info") => answer(200, &json!({ "epoch": "e1" })),
            ("DELETE", "/api/sync/token") => answer(204, &Value::Null),
            ("POST", "/api/auth/sign-out") => answer(200, &json!({ "success": true })),
            _ => answer(404, &Value::Null),
        })
    }

    pub(crate) fn offline() -> Self {
        Self::new(|_| Err(TransportError::offline("no connection to the server")))
    }

    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.requests.lock().expect("no test panicked").clone()
    }
}

pub(crate) fn answer(status: u16, body: &Value) -> Answer {
    let response = Response::builder()
        .status(status)
        .body(body.to_string().into());
    Ok(response.expect("a response"))
}

#[async_trait]
impl Transport for FakeServer {
    async fn send(&self, request: Request<Bytes>) -> Answer {
        let header = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let shown = match (&self.token, header) {
            (Some(token), None) => format!("Bearer {token}"),
            (None, Some(header)) => header.to_owned(),
            (None, None) => "-".to_owned(),
            (Some(_), Some(_)) => panic!("two tokens in one request"),
        };
        let asked = Asked {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            shown,
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
        };
        self.requests
            .lock()
            .expect("no test panicked")
            .push(asked.clone());
        (self.behaviour)(&asked)
    }
}

impl Network for FakeServer {
    fn transport(
        &self,
        _url: &str,
        token: Option<String>,
    ) -> Result<Box<dyn Transport>, TransportError> {
        Ok(Box::new(Self {
            token,
            ..self.clone()
        }))
    }
}
