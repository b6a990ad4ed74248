//! Rows that came from the server, written in bulk around what is pending here.

use std::collections::HashMap;

use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::value::RawValue;

use super::{
    State,
    here::gone_here,
    quarantine::{self, Reason},
};
use crate::{
    event::SyncEvent, protocol::PullRow, shape::EVERY_REGISTER, syncable::Syncable, table::Table,
    wire::WireRow,
};

/// What applying needs to know of this device.
pub(crate) struct ApplyContext {
    pub(super) now_ms: i64,
    /// The owner that root rows get.
    pub(super) user: String,
    /// Whether a value that gives way was this device's own edit, beaten at the server.
    pub(super) verdicts: bool,
    /// When registers that were sent had been edited, by row and register.
    pub(super) edited: HashMap<(i64, String), i64>,
    /// Whether a row that is new here may be one of this database's that is like it.
    pub(super) merging: bool,
    /// Since when rows that are being applied were set aside, by name.
    pub(super) aside_since: HashMap<String, i64>,
}

/// What applying did with one table's rows.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(super) n_written: u64,
    pub(super) n_conflicts: u64,
    /// Rows that were set aside: name and reason.
    pub(super) quarantined: Vec<(String, String)>,
}

impl ApplyContext {
    pub(super) fn new(now_ms: i64, state: &State) -> Self {
        let user = state.local_user_id.clone().unwrap_or_default();
        Self {
            now_ms,
            user,
            verdicts: false,
            edited: HashMap::new(),
            merging: state.merging,
            aside_since: HashMap::new(),
        }
    }

    /// When a register that was sent had been edited, by the device's clock.
    pub(super) fn edited_at(&self, row_id: i64, register: &str) -> Option<i64> {
        let of = |register: &str| self.edited.get(&(row_id, register.to_owned())).copied();
        of(register).or_else(|| of(EVERY_REGISTER))
    }
}

/// The registers of a row that are pending; and whether another value of it was sent before, which may arrive at
/// the server at any time.
pub(super) type PendingRegisters = HashMap<String, bool>;

/// A row that is here already, with what is pending of it.
pub(super) struct Local<M> {
    pub(super) model: M,
    pub(super) pending: PendingRegisters,
}

/// What is to be done with a row that is here already.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Registers whose value is taken.
    pub(super) take: Vec<usize>,
    /// Pending registers that hold the server's value anyway: nothing is left to push.
    pub(super) settled: Vec<String>,
    /// Whether something stays pending.
    pub(super) dirty: bool,
}

/// A pulled row never overrules a pending register: the server decides when that is pushed. Nor does an equal
/// value settle a register of which an earlier one is under way: it has to go after that.
pub(super) fn plan<W: WireRow>(
    names: &[&'static str],
    local: &W,
    row: &W,
    pending: &PendingRegisters,
) -> Plan {
    let mut plan = Plan::default();
    let every = pending.contains_key(EVERY_REGISTER);
    let settles = |register: &str| pending.get(register) == Some(&false);
    // A column that the server does not know is pending all the same.
    let mut differs = (0..names.len()).any(|number| !row.has(number));
    for (number, name) in names
        .iter()
        .enumerate()
        .filter(|(number, _)| row.has(*number))
    {
        let same = local.same(number, row);
        match (every || pending.contains_key(*name), same) {
            (true, true) if settles(name) => plan.settled.push((*name).to_owned()),
            (true, true) => {}
            (true, false) => differs = true,
            (false, false) => plan.take.push(number),
            (false, true) => {}
        }
    }
    if settles(EVERY_REGISTER) && !differs {
        plan.settled.push(EVERY_REGISTER.to_owned());
    }
    plan.dirty = pending.len() > plan.settled.len();
    plan
}

impl<E: Syncable> Table<E> {
    pub(crate) async fn apply_rows(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut ApplyContext,
        rows: &RawValue,
    ) -> Result<Applied, DbErr> {
        let mut applied = Applied::default();
        let rows = self.read_rows(tx, cx, rows, &mut applied).await?;
        for rows in self.generations(rows) {
            self.apply_read(tx, cx, rows, &mut applied).await?;
        }
        Ok(applied)
    }

    async fn apply_read(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut ApplyContext,
        rows: Vec<PullRow<E::Wire>>,
        applied: &mut Applied,
    ) -> Result<(), DbErr> {
        let (mut locals, unreadable) = self.locals(tx, &rows).await?;
        let gone = gone_here(tx, E::SHAPE.table, &rows).await?;
        let ids = self.ids_here(tx, &rows).await?;
        let names = self
            .names(tx, locals.values().map(|local| &local.model))
            .await?;

        // What was set aside of these rows is older: it must not be tried again after them.
        let names_here = rows.iter().map(|row| row.remote_id.as_str());
        cx.aside_since = quarantine::release(tx, E::SHAPE.table, names_here).await?;
        let (mut inserts, mut updates) = (Vec::new(), Vec::new());
        for row in rows {
            if let Some(fault) = unreadable.get(&row.remote_id) {
                let text = format!("the row here cannot be read: {}", fault.reason);
                let reason = Reason {
                    field: fault.columns.first().copied(),
                    ..Reason::new("unreadable", text)
                };
                self.set_aside(tx, cx, &row, &reason, applied).await?;
                continue;
            }
            match locals.remove(&row.remote_id) {
                Some(local) => {
                    let current = E::to_wire(local.model.clone(), &names);
                    self.plan_update(tx, cx, row, local, &current, &ids, &mut updates, applied)
                        .await?;
                }
                // A tombstone of a row that never was here, or a row deleted here, creates nothing.
                None if row.row.deleted_at().is_some() || gone.contains(&row.remote_id) => {}
                None => {
                    self.plan_insert(tx, cx, row, &ids, &mut inserts, applied)
                        .await?
                }
            }
        }
        applied.n_written += (inserts.len() + updates.len()) as u64;
        self.write_updates_here(tx, cx, updates, applied).await?;
        self.write_inserts_here(tx, cx, inserts, &ids, applied)
            .await?;
        Ok(())
    }

    /// A row this version cannot read is set aside; the others go on.
    async fn read_rows(
        &self,
        tx: &DatabaseTransaction,
        cx: &ApplyContext,
        rows: &RawValue,
        applied: &mut Applied,
    ) -> Result<Vec<PullRow<E::Wire>>, DbErr> {
        if let Ok(rows) = serde_json::from_str(rows.get()) {
            return Ok(rows);
        }
        let raw: Vec<Box<RawValue>> =
            serde_json::from_str(rows.get()).map_err(|e| DbErr::Json(e.to_string()))?;
        let mut read = Vec::with_capacity(raw.len());
        for raw in raw {
            match serde_json::from_str::<PullRow<E::Wire>>(raw.get()) {
                Ok(row) => read.push(row),
                Err(error) => {
                    let name = crate::protocol::name_in(&raw);
                    let reason = Reason::new("invalid_row", error.to_string());
                    self.set_aside_raw(tx, cx, &name, raw.get(), &reason, applied)
                        .await?;
                }
            }
        }
        Ok(read)
    }
}

/// What to tell of rows that were set aside.
pub(super) fn quarantined_events<'a>(
    table: &'a str,
    applied: &'a Applied,
) -> impl Iterator<Item = SyncEvent> + 'a {
    applied
        .quarantined
        .iter()
        .map(move |(remote_id, reason)| SyncEvent::Quarantined {
            table: table.to_owned(),
            remote_id: remote_id.clone(),
            reason: reason.clone(),
        })
}
