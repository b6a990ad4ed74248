//! Who somebody is: accounts and passwords, the session of a web page, the token of a device.
//!
//! The two kinds of token live in different tables and are looked up in different ways, so that
//! neither can stand in for the other.

pub mod accounts;
mod bearer;
mod cookie;
mod hash;
mod password;
pub(crate) mod session;
pub(crate) mod sync_token;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub(crate) use cookie::Cookies;
pub(crate) use password::Passwords;

/// A new secret of 256 bits, as text that needs no escaping anywhere.
pub(crate) fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
