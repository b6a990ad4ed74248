//! Who may sync what: tokens that end, accounts that share a server, databases that change hands.

mod accounts;
mod again;
mod guest;
mod refused;
mod tokens;
