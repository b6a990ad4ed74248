//! One file an address: parse, call, answer. No SQL and no rules in here.

pub(crate) mod change_password;
pub(crate) mod compare;
pub(crate) mod devices;
pub(crate) mod events;
pub(crate) mod get_session;
pub(crate) mod health;
pub(crate) mod info;
pub(crate) mod openapi;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod row;
pub(crate) mod rows;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_up;
pub(crate) mod token;
