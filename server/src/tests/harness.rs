//! A server for one test, and short words to talk to it.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sync_core::{CountedIds, ManualClock};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::{
    AppState, Config, app,
    auth::{accounts::Login, session},
    store,
};

/// Where the clock stands when a test begins.
pub(super) const START_MS: i64 = 1_767_225_600_000;
pub(super) const EMAIL: &str = "ann@example.org";
pub(super) const PASSWORD: &str = "correct horse battery";

/// A server with a database of its own, gone when dropped.
pub(super) struct TestServer {
    pub(super) state: AppState,
    pub(super) clock: Arc<ManualClock>,
    router: Router,
    pub(super) dir: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl TestServer {
    pub(super) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(super) async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        let file = dir.path().join("server.sqlite");
        let mut config = Config {
            database_url: format!("sqlite://{}", file.display()),
            ..Config::default()
        };
        adjust(&mut config);
        let clock = Arc::new(ManualClock::new(START_MS));
        let ids = Arc::new(CountedIds::new(1));
        let state = AppState::open_with(&config, clock.clone(), ids)
            .await
            .expect("server");
        let router = app(state.clone());
        Self {
            state,
            clock,
            router,
            dir,
        }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("body");
        let body = match bytes.as_ref() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes).expect("every answer is JSON"),
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Sends JSON without any token.
    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(request(Method::POST, path).json(body)).await
    }

    /// Sends a request without a body, with a bearer token.
    pub(super) async fn with_token(&self, method: Method, path: &str, token: &str) -> Answer {
        self.send(request(method, path).bearer(token).empty()).await
    }

    pub(super) async fn sign_up(&self) -> Answer {
        self.post("/api/auth/sign-up/email", credentials(EMAIL, PASSWORD))
            .await
    }

    pub(super) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post("/api/auth/sign-in/email", credentials(email, password))
            .await
    }

    /// The session token of a new account; without a password, because hashing one takes its time.
    pub(super) async fn session(&self) -> String {
        let now = self.state.now();
        let user = store::user::Model {
            id: self.state.ids.next(),
            email: EMAIL.to_owned(),
            name: "Ann".to_owned(),
            email_verified: false,
            created_at: now,
            updated_at: now,
            image: None,
            banned: None,
            ban_reason: None,
            ban_expires: None,
        };
        store::user::insert(&self.state.db.write, &user)
            .await
            .expect("user");
        let login = Login {
            account: user.into(),
            hash: None,
        };
        let session = session::begin(&self.state, &login, &HeaderMap::new(), true).await;
        session.expect("session").token
    }

    /// The sync token of a new account.
    pub(super) async fn sync_token(&self) -> String {
        let session = self.session().await;
        self.with_token(Method::POST, "/api/sync/token", &session)
            .await
            .text("syncToken")
    }
}

impl Answer {
    /// A text field of the body.
    pub(super) fn text(&self, field: &str) -> String {
        self.body[field]
            .as_str()
            .unwrap_or_else(|| panic!("no {field} in {self:?}"))
            .to_owned()
    }

    /// The cookie as a browser would send it back.
    pub(super) fn cookie(&self) -> String {
        let set = self.headers[header::SET_COOKIE].to_str().expect("cookie");
        set.split(';').next().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(super) fn is_error(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{self:?}"
        );
        assert!(
            self.body["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{self:?}"
        );
        assert_eq!(
            self.status == StatusCode::UNAUTHORIZED,
            self.headers.contains_key(header::WWW_AUTHENTICATE)
        );
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
    }
}

pub(super) fn credentials(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password, "name": "Ann", "rememberMe": true })
}

/// Begins a request.
pub(super) fn request(method: Method, path: &str) -> Draft {
    Draft(Request::builder().method(method).uri(path))
}

/// A request not yet complete.
pub(super) struct Draft(http::request::Builder);

impl Draft {
    pub(super) fn header(self, name: header::HeaderName, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION, &format!("Bearer {token}"))
    }

    pub(super) fn empty(self) -> Request<Body> {
        self.body(Body::empty())
    }

    pub(super) fn json(self, body: Value) -> Request<Body> {
        self.header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string())
    }

    pub(super) fn body(self, body: impl Into<Body>) -> Request<Body> {
        self.0.body(body.into()).expect("request")
    }
}
