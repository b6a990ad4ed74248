//! What an administrator can choose. The defaults run a server on a fresh machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sync_core::protocol::Limits;

use crate::{BodyLimits, ConnectionLimits, EventTiming, TrustedProxies};

/// The server's configuration.
#[derive(Clone)]
pub struct Config {
    /// `sqlite://FILE` or `postgres://USER@HOST/NAME`. A missing SQLite file is created.
    pub database_url: String,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the outside world reaches the server. With `https://` session cookies are for https only.
    pub public_url: Option<String>,
    /// The secret that signs session cookies, the same as the web app's where both run on one
    /// database. Without one, the server makes one up and keeps it in the database.
    pub auth_secret: Option<String>,
    /// Whether anybody may make an account.
    pub allow_sign_up: bool,
    /// Whether an account can log in only when its address was verified.
    pub require_verified_email: bool,
    /// Proxies whose word for a client's address is taken. Without any, the client is who connects.
    pub trust_proxy: Option<TrustedProxies>,
    /// Days after its last use that a device's sync token ends.
    pub sync_token_days: u32,
    /// Days for which the server remembers what was deleted; 0 for ever.
    pub tombstone_days: u32,
    /// Most connections to Postgres.
    pub database_connections: u32,
    /// How long is waited before devices that listen are told; no flag sets it.
    pub event_timing: EventTiming,
    /// Sites whose pages may call the server from a browser, such as `https://app.example`.
    pub allow_origins: Vec<String>,
    /// Where metrics are served, apart from everything else; nowhere if not set.
    pub metrics_listen: Option<SocketAddr>,
    /// What a device may send and ask for at once, as `GET /api/sync/info` tells it.
    pub limits: Limits,
    /// What one connection may do.
    pub connections: ConnectionLimits,
    /// How long a body may take.
    pub body: BodyLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database_url: "sqlite://zentrio-server.sqlite".to_owned(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8787),
            public_url: None,
            auth_secret: None,
            allow_sign_up: true,
            require_verified_email: false,
            trust_proxy: None,
            sync_token_days: 365,
            tombstone_days: 180,
            database_connections: 10,
            event_timing: EventTiming::default(),
            allow_origins: Vec::new(),
            metrics_listen: None,
            limits: Limits::default(),
            connections: ConnectionLimits::default(),
            body: BodyLimits::default(),
        }
    }
}

impl Config {
    /// Whether browsers reach the server by https.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }
}
