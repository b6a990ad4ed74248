//! What is pushed and what its answer does: scenario group PU.

mod children;
mod contents;
mod outgoing;
mod repeated;
mod unsent;
mod verdicts;
mod wire;
