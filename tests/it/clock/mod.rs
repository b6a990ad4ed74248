//! Clocks that are wrong, stand still or jump, and times in any form.

mod forms;
mod jumps;
mod precision;
mod wrong;
