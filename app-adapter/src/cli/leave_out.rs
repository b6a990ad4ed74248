//! `zentrio leave-out`.

use std::fmt;

use serde::Serialize;

use super::{
    exit::Exit,
    output::{Answer, Output},
    row::Row,
};
use crate::{Adapter, AdapterError};

#[derive(Serialize)]
struct LeftOut {
    table: String,
    remote_id: Option<String>,
    was_waiting: bool,
}

pub(super) async fn run(
    adapter: &Adapter,
    row: Row,
    output: &Output,
) -> Result<Exit, AdapterError> {
    let row = row.name();
    let (table, remote_id) = (row.table.clone(), adapter.leave_out(&row).await?);
    output.answer(&LeftOut {
        table,
        was_waiting: remote_id.is_some(),
        remote_id,
    })
}

impl Answer for LeftOut {}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.was_waiting {
            writeln!(
                f,
                "The row is left out on this device until it changes elsewhere."
            )
        } else {
            writeln!(
                f,
                "No such row waits to be written here: see zentrio status."
            )
        }
    }
}
