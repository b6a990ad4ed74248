//! References between rows that are called differently on every replica: scenario group FK.

mod by_hand;
mod cascades;
mod lookups;
mod parents;
mod renamed;
