//! The server over real HTTP, met by strangers, by other accounts and by broken programs: the same verdicts on
//! both databases, every answer as it is described, and nothing changed that should not be.

mod bodies;
mod described;
mod many;
mod races;
mod requests;
mod tenancy;
mod world;
