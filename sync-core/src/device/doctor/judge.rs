//! What is to be done with a row that is not the same on both ends.

use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};
use serde::Deserialize;
use serde_json::Map;

use super::{Finding, FindingKind};
use crate::{
    bulk::CHUNK,
    device::here::{is_gone, pending},
    registry::Registered,
    row_now::{RowNow, agree},
    rows::placeholders,
    shape::{DELETED_AT, EVERY_REGISTER},
};

/// The server's form of a row.
#[derive(Deserialize)]
pub(super) struct There {
    pub(super) remote_id: String,
    at: i64,
    row: Map<String, serde_json::Value>,
}

/// What is here of rows that were fetched.
pub(super) struct Here {
    rows: HashMap<String, RowNow>,
    unreadable: HashSet<String>,
    pending: HashMap<i64, HashSet<String>>,
}

/// What is to be done with a row that differs.
pub(super) enum Mend {
    /// Nothing: all that differs is pending, or the row went meanwhile.
    Nothing,
    /// The server's form is written here.
    Take(Finding),
    /// These registers are sent.
    Send(Finding, i64),
}

pub(super) async fn judge(
    tx: &DatabaseTransaction,
    registered: &Registered,
    here: &Here,
    their: &There,
) -> Result<Mend, DbErr> {
    let (table, name) = (registered.shape.table, their.remote_id.as_str());
    let is_deleted = their.row.get(DELETED_AT).is_some_and(|at| !at.is_null());
    if is_deleted || here.unreadable.contains(name) {
        return Ok(Mend::Nothing);
    }
    let Some(row) = here.rows.get(name) else {
        let gone = is_gone(tx, table, name).await?;
        let finding = Finding::of_row(FindingKind::MissingHere, table, None, Some(name));
        return Ok(if gone {
            Mend::Nothing
        } else {
            Mend::Take(finding)
        });
    };
    let none = HashSet::new();
    let pending = here.pending.get(&row.row_id).unwrap_or(&none);
    Ok(differences(registered, row, their, pending))
}

/// What is pending is left out: it is not the same because it is not sent.
fn differences(
    registered: &Registered,
    row: &RowNow,
    their: &There,
    pending: &HashSet<String>,
) -> Mend {
    let shape = registered.shape;
    if pending.contains(EVERY_REGISTER) {
        return Mend::Nothing;
    }
    if row.deleted_at.is_some() {
        let kind = FindingKind::MissingHere;
        let finding = Finding::of_row(kind, shape.table, Some(row.row_id), Some(&their.remote_id));
        return if pending.contains(DELETED_AT) {
            Mend::Nothing
        } else {
            Mend::Take(finding)
        };
    }
    let registers: Vec<String> = shape
        .registers
        .iter()
        .filter(|register| !pending.contains(register.name))
        .filter(|register| !agree(shape, register, &row.columns, &their.row))
        .map(|register| register.name.to_owned())
        .collect();
    if registers.is_empty() {
        return Mend::Nothing;
    }
    let kind = FindingKind::Differs;
    let finding = Finding {
        registers,
        ..Finding::of_row(kind, shape.table, Some(row.row_id), Some(&their.remote_id))
    };
    match row.updated_at {
        // With an edit pending the row has the time of that one.
        Some(edited_at) if edited_at > their.at && pending.is_empty() => {
            Mend::Send(finding, edited_at)
        }
        _ => Mend::Take(finding),
    }
}

pub(super) async fn here(
    tx: &DatabaseTransaction,
    registered: &Registered,
    theirs: &[There],
) -> Result<Here, DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let mut names: HashMap<i64, String> = HashMap::with_capacity(theirs.len());
    for theirs in theirs.chunks(CHUNK) {
        let sql = format!(
            "SELECT CAST(\"{id}\" AS BIGINT) AS id, remote_id FROM \"{table}\" WHERE remote_id IN ({})",
            placeholders(1, theirs.len())
        );
        let values: Vec<Value> = theirs
            .iter()
            .map(|row| row.remote_id.as_str().into())
            .collect();
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        for row in tx.query_all_raw(statement).await? {
            names.insert(row.try_get("", "id")?, row.try_get("", "remote_id")?);
        }
    }
    let ids: Vec<i64> = names.keys().copied().collect();
    let now = registered.table.now(tx, &ids).await?;
    let mut by_row: HashMap<i64, HashSet<String>> = HashMap::new();
    for (row_id, register, _) in pending(tx, table, &ids).await? {
        by_row.entry(row_id).or_default().insert(register);
    }
    let named = |row: RowNow| Some((row.remote_id.clone()?, row));
    Ok(Here {
        rows: now.rows.into_iter().filter_map(named).collect(),
        unreadable: now
            .unreadable
            .keys()
            .filter_map(|id| names.remove(id))
            .collect(),
        pending: by_row,
    })
}
