//! What crosses the wire, to the letter, the same on both kinds of server: a change here is a change of
//! the protocol, which devices in the field would have to understand.
//!
//! The snapshots are in `tests/it/snapshots`; `cargo insta review` shows what changed.

mod errors;
mod pull;
mod push;
mod world;
