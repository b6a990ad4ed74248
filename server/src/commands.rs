//! One file a command.

pub(crate) mod epoch;
pub(crate) mod gc;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod serve;
pub(crate) mod user;
