//! Writes that no trigger sees: what a crash of the disk, a mistake of ours or a clever script leaves.

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use sync_core::device::{Diagnosis, FindingKind};
use sync_tests::{Scene, SceneDevice};

/// Runs SQL past the triggers.
async fn unseen(db: &DatabaseConnection, sql: &str) -> Result<()> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => format!("BEGIN; SET LOCAL sync.applying = 'on'; {sql}; COMMIT"),
        _ => format!(
            "BEGIN; UPDATE sync_guard SET applying = 1; {sql}; UPDATE sync_guard SET applying = 0; COMMIT"
        ),
    };
    db.execute_unprepared(&sql).await.context(sql)?;
    Ok(())
}

pub(super) async fn here(device: &SceneDevice, sql: &str) -> Result<()> {
    unseen(device.device.device.db(), sql).await
}

pub(super) async fn there(scene: &Scene, sql: &str) -> Result<()> {
    unseen(&scene.server.db, sql).await
}

/// Has the doctor look, and mend if `mend` says so.
pub(super) async fn doctor(device: &SceneDevice, mend: bool) -> Result<Diagnosis> {
    let doctor = device
        .device
        .device
        .doctor(Some(&*device.net), mend, &|_| {});
    Ok(doctor.await?)
}

/// What was found, as kind, table, id here and registers.
pub(super) fn told(diagnosis: &Diagnosis) -> Vec<String> {
    let line = |kind: FindingKind| serde_json::to_value(kind).unwrap_or_default();
    let lines = diagnosis.findings.iter().map(|finding| {
        let kind = line(finding.kind);
        let id = finding
            .row_id
            .map_or_else(|| "-".to_owned(), |id| id.to_string());
        let registers = finding.registers.join(",");
        let text = format!(
            "{} {} {id} {registers}",
            kind.as_str().unwrap_or_default(),
            finding.table
        );
        text.trim_end().to_owned()
    });
    lines.collect()
}
