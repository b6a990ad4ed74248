//! Tests across the crates, in one program.

mod architecture;
mod auth;
mod binaries;
mod capture;
mod clock;
mod collisions;
mod conflict;
mod copies;
mod delete;
mod exclusive;
mod foreign_keys;
mod in_flight;
mod large;
mod ninth_entity;
mod paging;
mod planted_bugs;
mod pull;
mod push;
mod retry;
mod schema;
mod server_edits;
mod simulation;
mod two_devices;
mod unique_keys;
mod wire_format;
