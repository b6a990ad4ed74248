//! One file a command.

pub(crate) mod migrate;
pub(crate) mod serve;
pub(crate) mod user;
