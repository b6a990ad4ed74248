//! Who somebody is: accounts and passwords, the session of a web page, the token of a device.
//!
//! The two kinds of token live in different tables and are looked up in different ways, so that
//! neither can stand in for the other.

pub mod accounts;
mod bearer;
mod cookie;
pub mod devices;
mod hash;
pub(crate) mod limits;
mod pace;
mod password;
pub(crate) mod password_change;
pub(crate) mod place;
mod proxies;
pub(crate) mod session;
pub(crate) mod sync_token;

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub(crate) use cookie::Cookies;
pub(crate) use pace::Pace;
pub(crate) use password::Passwords;
pub use proxies::TrustedProxies;

/// A new secret of 256 bits, as text that needs no escaping anywhere.
pub(crate) fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// Bytes as hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
