//! Where seeds are run.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use super::desk::Desk;

/// What runs one seed after the other: databases live as long as the runtime that uses them.
pub(crate) struct Bench {
    pub(crate) desk: Arc<Desk>,
    pub(crate) runtime: Runtime,
}

impl Bench {
    pub(crate) fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Ok(Self {
            desk: Arc::new(Desk::new()?),
            runtime: runtime.context("a runtime")?,
        })
    }
}
