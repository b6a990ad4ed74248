//! Every write to a synced table is captured, whoever makes it: on a device and on both servers.
//!
//! A line of what is pending reads `table id register`; `*` is a new row, `gone` one that was hard deleted.

mod absorbed;
mod adopted;
mod dirty;
mod hard_deletes;
mod models;
mod old_sqlite;
mod other_programs;
mod replaced;
mod seaorm_writes;
mod soft_deletes;
mod sql_writes;
mod stamps;
mod undone;
mod unusual_writes;
mod values;
