//! What is pulled and how it is written: scenario group PL.

mod applied;
mod new_life;
mod pending;
mod quarantine;
mod replacement;
