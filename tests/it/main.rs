//! Tests across the crates, in one program.

mod architecture;
mod binaries;
mod capture;
mod collisions;
mod foreign_keys;
mod in_flight;
mod ninth_entity;
mod people;
mod planted_bugs;
mod pull;
mod push;
mod retry;
mod schema;
mod simulation;
mod two_devices;
mod wire_format;
