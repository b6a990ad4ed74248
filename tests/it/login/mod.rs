//! The login as strangers, users and administrators meet it, over real HTTP and on both databases.

mod bans;
mod better_auth;
mod busy;
mod commands;
mod devices;
mod guessing;
mod passwords;
mod sessions;
mod sign_up;
mod spreading;
mod tokens;
mod wrong_tokens;

const ANNA: &str = "anna@example.org";
const BEN: &str = "ben@example.org";
/// Addresses that are for documentation only.
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";
