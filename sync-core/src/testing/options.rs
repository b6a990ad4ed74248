//! What a simulation does and leaves out.

use crate::device::BatchLimits;

/// What may happen in a run. Everything that does not follow from here follows from the seed.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// About how many things happen.
    pub n_actions: usize,
    /// Requests and answers get lost, doubled, delayed and cut; devices crash.
    pub faults: bool,
    /// Devices' clocks are wrong, and jump.
    pub wrong_clocks: bool,
    /// Somebody writes the server's own database.
    pub server_edits: bool,
    /// Rows are removed for good, too.
    pub hard_deletes: bool,
    /// Deleted rows are brought back.
    pub undeletes: bool,
    /// Rows with a natural key are brought back, where the key may be taken by now.
    pub undeletes_onto_taken_keys: bool,
    /// Rows get the natural key of another row, or exchange keys.
    pub renames_onto_taken_keys: bool,
    /// Flags that one row of a scope carries are moved.
    pub exclusive_flags: bool,
    /// Tombstones are forgotten, so that devices that were away have to pull anew.
    pub garbage: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            n_actions: 40,
            faults: true,
            wrong_clocks: true,
            server_edits: true,
            hard_deletes: true,
            undeletes: true,
            undeletes_onto_taken_keys: false,
            renames_onto_taken_keys: false,
            exclusive_flags: false,
            garbage: true,
        }
    }
}

/// Batches and pages so small that a few rows need several.
pub(super) const SMALL: BatchLimits = BatchLimits {
    push_rows: 3,
    push_bytes: 2_000,
    row_bytes: 1 << 20,
    page_rows: 3,
};
