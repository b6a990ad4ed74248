//! The whole router on a SQLite file, asked without a socket.

mod accounts;
mod garbage;
mod harness;
mod http_rules;
mod limits;
mod running;
mod sync;
mod sync_tokens;
