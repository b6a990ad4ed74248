//! The sync server: HTTP, accounts and configuration around [`sync_core::server`].
//!
//! ```no_run
//! # async fn example() -> Result<(), server::Error> {
//! let config = server::Config::default();
//! let state = server::AppState::open(&config).await?;
//! let listener = tokio::net::TcpListener::bind(config.listen).await?;
//! let running = server::start(state, listener)?;
//! println!("{}", running.url());
//! running.stop().await
//! # }
//! ```

mod app;
mod auth;
mod config;
mod connections;
pub mod db;
mod decode;
mod error;
mod events;
mod extract;
mod garbage;
mod import;
mod layers;
mod listen;
mod metrics;
mod openapi;
mod retrying;
mod routes;
mod running;
mod store;
mod task;

pub use app::{AppState, app};
pub use auth::{TrustedProxies, accounts, devices};
pub use config::Config;
pub use error::Error;
pub use events::EventTiming;
pub use extract::BodyLimits;
pub use import::{Imported, ImportedTable, Phase, Progress, import};
pub use listen::ConnectionLimits;
pub use running::{Running, start};

#[cfg(test)]
mod tests;
