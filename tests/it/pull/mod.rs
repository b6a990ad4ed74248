//! What is pulled and how it is written: scenario group PL.

mod applied;
mod endless;
mod from_the_beginning;
mod new_life;
mod pending;
mod quarantine;
mod replacement;
mod unreadable;
