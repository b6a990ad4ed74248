//! The laws of the merge, tried on everything small and on much that is not.
//!
//! What one register holds is its value with the time at which that was edited. Of these pairs the laws
//! hold exactly: merging is commutative, associative and idempotent, under every rule. It follows that
//! neither order nor repetition shows, with or without a common ancestor: a merge asks for no base.
//!
//! A stamp also names the device that made the edit and the place in the feed that brought it. These are left
//! out here on purpose: of two equal values edited in the same millisecond either may stay named. They decide
//! which stamp a later edit gets, never what a replica holds of these two.

mod laws;
mod row;
mod rules;
