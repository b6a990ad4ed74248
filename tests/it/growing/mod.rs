//! Any number of server processes on one database.

mod processes;
mod serializable;
mod together;
