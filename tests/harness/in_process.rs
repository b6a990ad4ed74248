//! A server without a network: the real engine on a real database, called directly.

use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sync_core::{
    Clock, Ids, Registry, Transport, TransportError,
    protocol::ErrorBody,
    server::{Caller, ServerError, SyncServer},
};

use crate::TestDb;

/// The engine of a server, with an account or more.
pub struct InProcessServer {
    /// The engine under test.
    pub engine: SyncServer,
    /// Its database.
    pub db: DatabaseConnection,
    database: TestDb,
}

impl InProcessServer {
    /// A fresh server with Zentrio's tables.
    ///
    /// # Errors
    /// If the database cannot be made.
    pub async fn zentrio(
        database: TestDb,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self> {
        let db = database.connect().await?;
        migration::up(&db, migration::Side::Server).await?;
        Self::with(database, db, entity::registry()?, clock, ids).await
    }

    /// The same for tables that are there already.
    ///
    /// # Errors
    /// If sync cannot be installed around the tables.
    pub async fn with(
        database: TestDb,
        db: DatabaseConnection,
        registry: Registry,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self> {
        let engine = SyncServer::new(db.clone(), registry, clock, ids);
        engine.install().await?;
        Ok(Self {
            engine,
            db,
            database,
        })
    }

    /// Where its database is.
    pub fn database(&self) -> &TestDb {
        &self.database
    }

    /// Adds an account.
    ///
    /// # Errors
    /// If it is there already.
    pub async fn add_user(&self, user: &str) -> Result<()> {
        let sql = format!(
            "INSERT INTO \"user\" (id, email, name, \"emailVerified\", \"createdAt\", \"updatedAt\")
             VALUES ('{user}', '{user}@example.com', '{user}', TRUE, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
        );
        self.db.execute_unprepared(&sql).await?;
        Ok(())
    }

    /// A way for device number `device` of an account to reach this server.
    pub fn transport(&self, user: &str, device: i64) -> Arc<dyn Transport> {
        Arc::new(Direct {
            engine: self.engine.clone(),
            caller: Caller {
                user_id: user.to_owned(),
                device,
            },
        })
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
                let body = serde_json::to_vec(&body(&error));
                let body = body.map_err(|e| TransportError::lost(e.to_string()))?;
                (error.code().status(), body.into())
            }
        };
        Response::builder()
            .status(status)
            .body(body)
            .map_err(|e| TransportError::lost(e.to_string()))
    }
}

fn body(error: &ServerError) -> ErrorBody {
    if let ServerError::Database(cause) = error {
        // Seen in a test's output; a real server logs it.
        #[expect(clippy::print_stderr, reason = "the cause belongs to the failing test")]
        {
            eprintln!("the server's database failed: {cause}");
        }
    }
    error.body()
}
