//! What is pushed and what its answer does: scenario group PU.

mod children;
mod outgoing;
mod unsent;
mod verdicts;
mod wire;
