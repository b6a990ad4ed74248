//! The user goes on while a sync runs: scenario group IF.

mod alone;
mod edited;
mod locked;
mod refused;
