//! Tests across the crates, in one program.

mod architecture;
mod auth;
mod binaries;
mod capture;
mod clock;
mod collisions;
mod conflict;
mod delete;
mod drift;
mod exclusive;
mod faults;
mod foreign_keys;
mod garbage;
mod in_flight;
mod ninth_entity;
mod paging;
mod people;
mod planted_bugs;
mod pull;
mod push;
mod retry;
mod schema;
mod simulation;
mod two_devices;
mod unique_keys;
mod wire_format;
