//! What every request can use, and which address leads where.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    routing::{delete, get, post},
};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbBackend;
use sync_core::{
    Clock, Ids, SystemClock, UuidV7,
    protocol::{
        COMPARE_PATH, DEVICES_PATH, EVENTS_PATH, INFO_PATH, PULL_PATH, PUSH_PATH, ROW_PATH,
        ROWS_PATH, TOKEN_PATH,
    },
    server::{Garbage, ServerDb, SyncServer},
};

use crate::{
    Config, Error,
    auth::{Cookies, Passwords},
    db,
    events::Events,
    extract::MostBytes,
    import, layers,
    retrying::Databases,
    routes, store,
};

/// The server's parts. Cheap to clone. Nothing in it would be missed by a second server process.
#[derive(Clone)]
pub struct AppState {
    pub(crate) db: Databases,
    pub(crate) sync: SyncServer,
    pub(crate) passwords: Arc<Passwords>,
    pub(crate) cookies: Cookies,
    pub(crate) events: Events,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) config: Arc<Config>,
}

/// All addresses of the server.
pub fn app(state: AppState) -> Router {
    let most = MostBytes(state.config.limits.body_bytes);
    let push = post(routes::push::push).layer(Extension(most));
    let router = Router::new()
        .route(PUSH_PATH, push)
        .route(PULL_PATH, get(routes::pull::pull))
        .route(EVENTS_PATH, get(routes::events::events))
        .route(INFO_PATH, get(routes::info::info))
        .route(ROW_PATH, get(routes::row::row))
        .route(ROWS_PATH, post(routes::rows::rows))
        .route(COMPARE_PATH, post(routes::compare::compare))
        .route(
            TOKEN_PATH,
            post(routes::token::issue).delete(routes::token::revoke),
        )
        .route(DEVICES_PATH, get(routes::devices::list))
        .route(
            &format!("{DEVICES_PATH}/{{id}}"),
            delete(routes::devices::revoke),
        )
        .route("/api/auth/sign-up/email", post(routes::sign_up::sign_up))
        .route("/api/auth/sign-in/email", post(routes::sign_in::sign_in))
        .route("/api/auth/sign-out", post(routes::sign_out::sign_out))
        .route(
            "/api/auth/change-password",
            post(routes::change_password::change_password),
        )
        .route(
            "/api/auth/get-session",
            get(routes::get_session::get_session),
        )
        .route("/api/openapi.json", get(routes::openapi::openapi))
        .route("/healthz", get(routes::health::healthz))
        .route("/readyz", get(routes::health::readyz))
        .fallback(async || Error::NotFound)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .with_state(state.clone());
    layers::around(router, &state.config)
}

impl AppState {
    /// Opens the database of the configuration and brings its schema up to date.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        Self::open_with(config, Arc::new(SystemClock), Arc::new(UuidV7)).await
    }

    /// The same with another clock and other ids, for tests.
    pub async fn open_with(
        config: &Config,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, Error> {
        let db = db::open(config).await?;
        import::refuse_half_done(&db.read).await?;
        migration::up(&db.write, migration::Side::Server).await?;
        let events = Events::new(config, &db);
        let sync = SyncServer::new(
            db.clone(),
            entity::registry().map_err(sea_orm::DbErr::from)?,
            clock.clone(),
            ids.clone(),
        )
        .on_moved(events.on_moved())
        .with_limits(config.limits);
        sync.install().await?;
        sync.absorb_all().await?;
        let secret = auth_secret(&db, config).await?;
        let shared = store::account::is_shared(&db.read).await?;
        Ok(Self {
            sync,
            events,
            passwords: Arc::new(Passwords::new(shared)),
            cookies: Cookies::new(&secret, config.is_https())?,
            clock,
            ids,
            config: Arc::new(config.clone()),
            db: Databases::new(db),
        })
    }

    /// The databases, as a program on the same machine sees them.
    pub fn db(&self) -> &ServerDb {
        &self.db.plain
    }

    /// How many connections to the database are open, and how many of them wait for work.
    pub(crate) fn db_connections(&self) -> [(&'static str, u32); 2] {
        let counts = match self.db.read.get_database_backend() {
            DbBackend::Postgres => {
                let pool = self.db.read.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
            _ => {
                let pools = [&self.db.read, &self.db.write];
                let pools = pools.map(|db| db.get_sqlite_connection_pool());
                pools.iter().fold((0, 0), |(open, idle), pool| {
                    (open + pool.size(), idle + pool.num_idle())
                })
            }
        };
        let idle = u32::try_from(counts.1).unwrap_or(u32::MAX);
        [("open", counts.0), ("idle", idle)]
    }

    /// The time as the account tables keep it.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.clock.now_ms()).unwrap_or_default()
    }

    /// When a sync token ends that is used at `now`.
    pub(crate) fn token_end(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.checked_add_signed(TimeDelta::days(self.config.sync_token_days.into()))
            .unwrap_or(now)
    }

    /// The life of the server's data.
    pub async fn epoch(&self) -> Result<String, Error> {
        Ok(self.sync.epoch().await?)
    }

    /// Begins a new life of the server's data; its name. Running servers notice it at once.
    pub async fn begin_epoch(&self) -> Result<String, Error> {
        Ok(self.sync.begin_epoch().await?)
    }

    /// Forgets the tombstones that the server has had for so long.
    pub async fn collect_garbage(&self, keep: Duration) -> Result<Garbage, Error> {
        Ok(self.sync.collect_aged(keep, &|| true).await?)
    }

    /// For how long tombstones are kept; none for ever.
    pub(crate) fn keeps_tombstones(&self) -> Option<Duration> {
        let days = u64::from(self.config.tombstone_days);
        (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60))
    }

    /// Closes the database. Requests that still run fail.
    pub async fn close(&self) {
        for pool in [&self.db.read, &self.db.write] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::warn!(%error, "cannot close the database");
            }
        }
    }
}

/// The configured secret, or else the one this database made up on its first start.
async fn auth_secret(db: &ServerDb, config: &Config) -> Result<String, Error> {
    match &config.auth_secret {
        Some(secret) if secret.trim().is_empty() => {
            Err(Error::Config("the auth secret is empty".to_owned()))
        }
        Some(secret) => Ok(secret.clone()),
        None => {
            let made_up = crate::auth::random_token();
            Ok(store::setting::get_or_insert(&db.write, "auth_secret", made_up).await?)
        }
    }
}
