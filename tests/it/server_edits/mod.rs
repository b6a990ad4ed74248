//! Rows that are written in the server's own database, by SQL: they reach the devices of their account, and
//! nobody else.

mod accounts;
mod meets;
mod reaches;
