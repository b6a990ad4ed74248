//! Servers for the simulation that are not the kit's own: Postgres, and the router that is shipped.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{Request, Response, header};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Value, json};
use sync_core::{
    Transport, TransportError,
    protocol::TOKEN_PATH,
    server::{Garbage, ServerError, SyncServer},
    testing::{BoxError, InProcess, Server, ServerSetup, Servers},
};
use sync_tests::{Backend, TestDb};
use tower::ServiceExt;

/// The engine on Postgres.
pub(crate) struct OnPostgres;

struct Kept {
    server: InProcess,
    _database: TestDb,
}

#[async_trait(?Send)]
impl Servers for OnPostgres {
    async fn start(&self, setup: &ServerSetup<'_>) -> Result<Box<dyn Server>, BoxError> {
        let database = TestDb::new(Backend::Postgres).await?;
        let db = database.connect().await?;
        setup.prepare(&db).await?;
        Ok(Box::new(Kept {
            server: setup.in_process(db).await?,
            _database: database,
        }))
    }
}

#[async_trait]
impl Server for Kept {
    fn db(&self) -> &DatabaseConnection {
        self.server.db()
    }

    async fn transport(&self, user_id: &str, device: i64) -> Result<Arc<dyn Transport>, BoxError> {
        self.server.transport(user_id, device).await
    }

    async fn collect_garbage(&self, older_than_ms: i64) -> Result<Garbage, ServerError> {
        self.server.collect_garbage(older_than_ms).await
    }
}

/// The real server without its socket: login, tokens, limits and all.
pub(crate) struct Router;

struct Routed {
    state: server::AppState,
    router: axum::Router,
    engine: SyncServer,
    sessions: Mutex<HashMap<i64, String>>,
    _database: TestDb,
}

#[async_trait(?Send)]
impl Servers for Router {
    async fn start(&self, setup: &ServerSetup<'_>) -> Result<Box<dyn Server>, BoxError> {
        let database = TestDb::new(Backend::Sqlite).await?;
        let config = server::Config {
            database_url: database.url().to_owned(),
            ..server::Config::default()
        };
        let (clock, ids) = (setup.clock.clone(), setup.ids.clone());
        let state = server::AppState::open_with(&config, clock.clone(), ids.clone()).await?;
        setup.prepare(&state.db().write).await?;
        let engine = SyncServer::new(state.db().clone(), setup.registry.clone(), clock, ids);
        Ok(Box::new(Routed {
            router: server::app(state.clone()),
            state,
            engine,
            sessions: Mutex::default(),
            _database: database,
        }))
    }
}

#[async_trait]
impl Server for Routed {
    fn db(&self) -> &DatabaseConnection {
        &self.state.db().write
    }

    async fn transport(&self, user_id: &str, device: i64) -> Result<Arc<dyn Transport>, BoxError> {
        let router = self.router.clone();
        let session = format!("session-of-device-{device}-which-is-long-enough");
        let token = {
            let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.get(&device).cloned()
        };
        let token = match token {
            Some(token) => token,
            None => {
                self.log_in(user_id, device, &session).await?;
                let asked = json!({ "deviceId": format!("device-{device}") }).to_string();
                let bare = Routes {
                    router: router.clone(),
                    token: session,
                };
                let request = Request::post(TOKEN_PATH)
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(Bytes::from(asked))?;
                let answer = bare.send(request).await?;
                let body: Value = serde_json::from_slice(answer.body())?;
                let token = body["syncToken"].as_str();
                token
                    .ok_or_else(|| format!("no sync token: {body}"))?
                    .to_owned()
            }
        };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(device, token.clone());
        Ok(Arc::new(Routes { router, token }))
    }

    async fn collect_garbage(&self, older_than_ms: i64) -> Result<Garbage, ServerError> {
        self.engine.collect_garbage(older_than_ms).await
    }
}

impl Routed {
    /// As if the account's password had been given: to check one takes longer than a run.
    async fn log_in(&self, user_id: &str, device: i64, session: &str) -> Result<(), BoxError> {
        let sql = format!(
            "INSERT INTO session (id, \"userId\", token, \"expiresAt\", \"createdAt\", \"updatedAt\")
             VALUES ('s{device}', '{user_id}', '{session}', '2099-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
        );
        self.state.db().write.execute_unprepared(&sql).await?;
        Ok(())
    }
}

/// A device's way through the router.
struct Routes {
    router: axum::Router,
    token: String,
}

#[async_trait]
impl Transport for Routes {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (mut parts, body) = request.into_parts();
        let bearer = format!("Bearer {}", self.token).parse();
        let bearer = bearer.map_err(|_| TransportError::lost("no token"))?;
        parts.headers.insert(header::AUTHORIZATION, bearer);
        let request = Request::from_parts(parts, Body::from(body));
        let answered = self.router.clone().oneshot(request).await;
        let (parts, body) = answered.unwrap_or_else(|never| match never {}).into_parts();
        let body = to_bytes(body, usize::MAX).await;
        let body = body.map_err(|error| TransportError::lost(error.to_string()))?;
        Ok(Response::from_parts(parts, body))
    }
}
