//! The tools for people: a refused row is told, explained, given up or tried again; the doctor finds what
//! differs.

mod damage;
mod discard;
mod doctor;
mod doctor_here;
mod doctor_there;
mod endpoints;
mod explain;
mod retry;

use anyhow::Result;
use sync_core::device::RowId;
use sync_tests::SceneDevice;

/// The row's name.
async fn name_of(device: &SceneDevice, table: &str, id: i64) -> Result<String> {
    device
        .one(&format!("SELECT remote_id FROM {table} WHERE id = {id}"))
        .await
}

fn here(id: i64) -> RowId {
    RowId::Here(id)
}
