//! One database in two places, and two programs on one database.

mod cloned;
mod two_engines;
