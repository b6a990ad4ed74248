//! What tests across the crates share: databases of both kinds, and the other
//! end of the wire.
//!
//! A test of a rule that must hold on both kinds of database is a function that
//! takes a [`TestDb`] and a line that has it run on each of them, see
//! [`on_both_backends`].

pub mod account;
pub mod at_rest;
pub mod background;
pub mod balancer;
pub mod browser;
pub mod captured_db;
pub mod database;
pub mod description;
pub mod device;
pub mod faulty;
pub mod gate;
pub mod http_server;
pub mod in_process;
pub mod login_server;
pub mod manual_timer;
pub mod mock_server;
pub mod postgres;
pub mod programs;
pub mod raw_http;
pub mod scene;
pub mod scene_device;
pub mod scene_time;
pub mod snapshot;
pub mod switched;
pub mod synced_rows;
pub mod text_rows;

pub use self::captured_db::CapturedDb;
pub use self::database::{Backend, TestDb};
pub use self::description::Description;
pub use self::device::TestDevice;
pub use self::faulty::{Fault, Faulty};
pub use self::http_server::HttpServer;
pub use self::in_process::InProcessServer;
pub use self::login_server::LoginServer;
pub use self::mock_server::MockSyncServer;
pub use self::scene::Scene;
pub use self::scene_device::SceneDevice;
pub use self::scene_time::{NOON, ORDERS};
