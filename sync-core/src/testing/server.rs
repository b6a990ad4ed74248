//! The server that devices of a simulation sync with: the kit's own, or one that the user brings along.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use sea_orm::DatabaseConnection;

use super::{hooks::BoxError, setup::Setup};
use crate::{
    Clock, Ids, Registry, Transport, TransportError,
    server::{Caller, Garbage, ServerError, SyncServer},
};

/// Starts a server for every run, such as the one that is shipped, or one on Postgres.
///
/// It has to take its time from [`ServerSetup::clock`] and its names from [`ServerSetup::ids`], or else
/// no run is like another.
#[async_trait(?Send)]
pub trait Servers: Send + Sync {
    /// Starts one with an empty database, and calls [`ServerSetup::prepare`] on it.
    ///
    /// # Errors
    /// If it does not start.
    async fn start(&self, setup: &ServerSetup<'_>) -> Result<Box<dyn Server>, BoxError>;
}

/// A running server. It ends when dropped.
#[async_trait]
pub trait Server: Send + Sync {
    /// Its database, to edit rows in it, and to look at them.
    fn db(&self) -> &DatabaseConnection;
    /// A way to it for device number `device` of an account, the same number for the same device.
    ///
    /// # Errors
    /// If the device cannot log in.
    async fn transport(&self, user_id: &str, device: i64) -> Result<Arc<dyn Transport>, BoxError>;
    /// Has it forget what was deleted before.
    ///
    /// # Errors
    /// If its database fails.
    async fn collect_garbage(&self, older_than_ms: i64) -> Result<Garbage, ServerError>;
}

/// What a server of a simulation needs.
pub struct ServerSetup<'a> {
    /// What is synced.
    pub registry: Registry,
    /// Where it has to take its time from.
    pub clock: Arc<dyn Clock>,
    /// Where it has to take its names from.
    pub ids: Arc<dyn Ids>,
    pub(crate) setup: &'a Setup,
}

impl ServerSetup<'_> {
    /// Creates the user's tables and accounts in a database.
    ///
    /// # Errors
    /// What the user's functions say.
    pub async fn prepare(&self, db: &DatabaseConnection) -> Result<(), BoxError> {
        self.setup.prepare_server(db).await
    }

    /// The engine alone on a database that is prepared, called directly.
    ///
    /// # Errors
    /// If sync cannot be installed around the tables.
    pub async fn in_process(&self, db: DatabaseConnection) -> Result<InProcess, BoxError> {
        let server = self.installed(db);
        server.engine.install().await?;
        Ok(server)
    }

    /// The same on a copy of a database in which all is installed.
    pub(crate) fn installed(&self, db: DatabaseConnection) -> InProcess {
        let (registry, clock) = (self.registry.clone(), self.clock.clone());
        InProcess {
            engine: SyncServer::new(db.clone(), registry, clock, self.ids.clone()),
            db,
        }
    }
}

/// The engine of a server, without a network.
pub struct InProcess {
    engine: SyncServer,
    db: DatabaseConnection,
}

#[async_trait]
impl Server for InProcess {
    fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    async fn transport(&self, user_id: &str, device: i64) -> Result<Arc<dyn Transport>, BoxError> {
        Ok(Arc::new(Direct {
            engine: self.engine.clone(),
            caller: Caller {
                user_id: user_id.to_owned(),
                device,
            },
        }))
    }

    async fn collect_garbage(&self, older_than_ms: i64) -> Result<Garbage, ServerError> {
        self.engine.collect_garbage(older_than_ms).await
    }
}

struct Direct {
    engine: SyncServer,
    caller: Caller,
}

#[async_trait]
impl Transport for Direct {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let answer = self.engine.dispatch(&self.caller, &request).await;
        let (status, body) = match answer {
            Ok(Some(body)) => (200, body),
            Ok(None) => return Err(TransportError::lost("no such path")),
            Err(error) => {
                let body = serde_json::to_vec(&told(&error));
                let body = body.map_err(|e| TransportError::lost(e.to_string()))?;
                (error.code().status(), body.into())
            }
        };
        let answer = Response::builder().status(status).body(body);
        answer.map_err(|e| TransportError::lost(e.to_string()))
    }
}

/// A real server logs the cause; here it has to be in the failure's report.
fn told(error: &ServerError) -> crate::protocol::ErrorBody {
    let mut body = error.body();
    if let ServerError::Database(cause) = error {
        body.message = format!("{}: {cause}", body.message);
    }
    body
}
