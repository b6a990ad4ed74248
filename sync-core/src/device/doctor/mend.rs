//! Rows that seem to differ are looked at closely, told, and mended.
//!
//! Of a row that both ends have the later edit stands, as ever: what was edited here after the server's form
//! of the row, and was captured by nobody, is sent; of anything else the server's form is taken. What gives
//! way is kept in the log of conflicts. What only this device has is sent as a whole.

use std::collections::HashSet;

use sea_orm::{DatabaseTransaction, DbErr, Value};
use serde_json::value::RawValue;

use super::{
    Finding, FindingKind, Findings,
    judge::{Mend, There, here, judge},
};
use crate::{
    bulk::CHUNK,
    device::{
        ApplyContext, Device,
        here::{drop_pending, pending},
        pull, state,
        state::execute,
        sync::Session,
    },
    error::SyncError,
    protocol::RowsAnswer,
    registry::Registered,
    rows::placeholders,
    schema::millis_of,
    shape::EVERY_REGISTER,
    tx,
};

/// Rows of one table that seem to differ.
#[derive(Default)]
pub(super) struct Suspects {
    /// Names that the server has live: those that differ, and those that are not live here.
    pub(super) there: Vec<String>,
    /// Rows that are live only here.
    pub(super) only_here: Vec<OnlyHere>,
}

/// A live row that the server does not have.
pub(super) struct OnlyHere {
    pub(super) row_id: i64,
    pub(super) name: String,
}

impl Device {
    /// Tells and mends; returns how many rows differ.
    pub(super) async fn look_into(
        &self,
        session: Session<'_>,
        registered: &Registered,
        suspects: Suspects,
        mend: bool,
        findings: &mut Findings,
    ) -> Result<u64, SyncError> {
        let table = registered.shape.table;
        let mut n = 0;
        for names in suspects.there.chunks(CHUNK) {
            if let Some(there) = self.fetch(session, table, names.to_vec()).await? {
                n += self
                    .look_into_fetched(session, registered, &there, mend, findings)
                    .await?;
            }
        }
        for rows in suspects.only_here.chunks(CHUNK) {
            n += self
                .look_into_only_here(session, registered, rows, mend, findings)
                .await?;
        }
        Ok(n)
    }

    async fn look_into_fetched(
        &self,
        session: Session<'_>,
        registered: &Registered,
        there: &RowsAnswer,
        mend: bool,
        findings: &mut Findings,
    ) -> Result<u64, SyncError> {
        let table = registered.shape.table;
        let Some(page) = there.tables.iter().find(|page| page.table == table) else {
            return Ok(0);
        };
        let not_rows = |error: serde_json::Error| SyncError::NotASyncServer(error.to_string());
        let raw: Vec<Box<RawValue>> = serde_json::from_str(page.rows.get()).map_err(not_rows)?;
        let tx = tx::begin_write(&self.db).await?;
        session.check(&state::load(&tx).await?)?;
        let mut theirs = Vec::with_capacity(raw.len());
        for raw in &raw {
            theirs.push(serde_json::from_str::<There>(raw.get()).map_err(not_rows)?);
        }
        let here = here(&tx, registered, &theirs).await?;
        let (mut take, mut n) = (Vec::new(), 0);
        tx::begin_applying(&tx).await?;
        for (their, raw) in theirs.iter().zip(&raw) {
            let finding = match judge(&tx, registered, &here, their).await? {
                Mend::Nothing => continue,
                Mend::Take(finding) => {
                    take.push(raw.get());
                    finding
                }
                Mend::Send(finding, edited_at) => {
                    send(&tx, registered, &finding, edited_at).await?;
                    finding
                }
            };
            n += 1;
            findings.add(finding);
        }
        if !mend {
            tx.rollback().await?;
            return Ok(n);
        }
        let rows = RawValue::from_string(format!("[{}]", take.join(","))).map_err(not_rows)?;
        let mut cx = ApplyContext::new(self.clock.now_ms(), &state::load(&tx).await?);
        cx.verdicts = true;
        let applied = registered.table.apply(&tx, &mut cx, &rows).await;
        applied.map_err(pull::no_rows)?;
        tx::end_applying(&tx).await?;
        tx.commit().await?;
        Ok(n)
    }

    async fn look_into_only_here(
        &self,
        session: Session<'_>,
        registered: &Registered,
        rows: &[OnlyHere],
        mend: bool,
        findings: &mut Findings,
    ) -> Result<u64, SyncError> {
        let table = registered.shape.table;
        let tx = tx::begin_write(&self.db).await?;
        session.check(&state::load(&tx).await?)?;
        let ids: Vec<i64> = rows.iter().map(|row| row.row_id).collect();
        let pending = pending(&tx, table, &ids).await?;
        let on_its_way: HashSet<i64> = pending
            .into_iter()
            .filter(|(_, register, _)| register == EVERY_REGISTER)
            .map(|(row_id, ..)| row_id)
            .collect();
        let missing = rows.iter().filter(|row| !on_its_way.contains(&row.row_id));
        let missing: Vec<&OnlyHere> = missing.collect();
        for row in &missing {
            let kind = FindingKind::MissingThere;
            findings.add(Finding::of_row(
                kind,
                table,
                Some(row.row_id),
                Some(&row.name),
            ));
        }
        if mend {
            let ids: Vec<i64> = missing.iter().map(|row| row.row_id).collect();
            tx::begin_applying(&tx).await?;
            send_whole(&tx, registered, &ids).await?;
            tx::end_applying(&tx).await?;
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        Ok(missing.len() as u64)
    }
}

/// Makes registers pending that were edited here and that nobody captured.
async fn send(
    tx: &DatabaseTransaction,
    registered: &Registered,
    finding: &Finding,
    edited_at: i64,
) -> Result<(), DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let Some(row_id) = finding.row_id else {
        return Ok(());
    };
    drop_pending(tx, table, row_id, &finding.registers).await?;
    for register in &finding.registers {
        let sql = "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
                   VALUES ($1, $2, $3, NULL, $4, 1, 0)";
        let values = vec![
            table.into(),
            row_id.into(),
            register.as_str().into(),
            edited_at.into(),
        ];
        execute(tx, sql, values).await?;
    }
    let sql = format!("UPDATE \"{table}\" SET dirty = TRUE WHERE \"{id}\" = $1");
    execute(tx, &sql, vec![row_id.into()]).await
}

/// Makes rows pending as a whole, edited when they say themselves.
pub(super) async fn send_whole(
    tx: &DatabaseTransaction,
    registered: &Registered,
    ids: &[i64],
) -> Result<(), DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    for ids in ids.chunks(CHUNK) {
        let these = placeholders(2, ids.len());
        let values = || -> Vec<Value> {
            let ids = ids.iter().map(|id| (*id).into());
            std::iter::once(table.into()).chain(ids).collect()
        };
        let sql = format!(
            "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
             SELECT $1, \"{id}\", '{EVERY_REGISTER}', NULL, max(0, coalesce({}, 0)), 1, 0
             FROM \"{table}\" WHERE \"{id}\" IN ({these}) ON CONFLICT (tbl, row_id, register) DO NOTHING",
            millis_of("updated_at")
        );
        execute(tx, &sql, values()).await?;
        let sql =
            format!("UPDATE \"{table}\" SET dirty = TRUE WHERE $1 <> '' AND \"{id}\" IN ({these})");
        execute(tx, &sql, values()).await?;
    }
    Ok(())
}
