//! Pulled rows into their table: each is written, adopted by a twin, or set aside.

use std::collections::HashMap;

use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, IntoActiveModel};

use super::{
    ApplyContext,
    apply::{Applied, Local, PendingRegisters, plan},
    conflict,
    here::{drop_pending, is_gone, pending},
    quarantine::{self, Reason},
    resend, settle,
    state::execute,
    undone,
};
use crate::{
    bulk::{CHUNK, value_to_i64},
    protocol::PullRow,
    refs::LocalIds,
    rows::{Write, placeholders},
    server::twin,
    shape::EVERY_REGISTER,
    syncable::{FieldError, FieldErrorCode, Syncable},
    table::Table,
    wire::{Field, Millis, WireRow},
};

/// A row that is here and is to be rewritten.
pub(super) struct Update<E: Syncable> {
    row: PullRow<E::Wire>,
    active: E::ActiveModel,
    /// Whether something of it stays pending.
    dirty: bool,
}

impl<E: Syncable> Table<E> {
    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one pass, and private to it"
    )]
    pub(super) async fn plan_update(
        &self,
        tx: &DatabaseTransaction,
        cx: &ApplyContext,
        row: PullRow<E::Wire>,
        local: Local<E::Model>,
        current: &E::Wire,
        ids: &LocalIds,
        updates: &mut Vec<Update<E>>,
        applied: &mut Applied,
    ) -> Result<(), DbErr> {
        let names: Vec<&'static str> = E::SHAPE
            .registers
            .iter()
            .map(|register| register.name)
            .collect();
        let plan = plan(&names, current, &row.row, &local.pending);
        let meta = E::meta(&local.model);
        if !plan.settled.is_empty() {
            drop_pending(tx, E::SHAPE.table, meta.id, &plan.settled).await?;
            settle::clean_rows(tx, E::SHAPE.table, E::SHAPE.id, &[meta.id]).await?;
        }
        if plan.dirty {
            undone::keep(tx, &E::SHAPE, meta.id).await?;
        }
        if plan.take.is_empty() {
            return Ok(());
        }
        if cx.verdicts {
            // A deletion that only got the server's time has not given way.
            let deleted = current.deleted_at().is_some() && row.row.deleted_at().is_some();
            let retimed = |number| deleted && number == E::SHAPE.deleted_register();
            let lost = plan.take.iter().filter(|&&number| !retimed(number));
            let beaten: Vec<_> = lost
                .map(|&number| conflict::Beaten {
                    register: names[number],
                    edited_at: cx.edited_at(meta.id, names[number]),
                    local: current.canonical(number),
                    remote: row.row.canonical(number),
                })
                .collect();
            applied.n_conflicts += beaten.len() as u64;
            conflict::log(tx, E::SHAPE.table, &row.remote_id, beaten, cx.now_ms).await?;
        }
        let mut patch = E::Wire::default();
        plan.take
            .iter()
            .for_each(|&register| patch.take(register, &row.row));
        if row.row.deleted_at().is_some() {
            self.leave_unknown_references(&mut patch, ids);
        }
        let updated_at = Millis(
            row.at
                .max(meta.updated_at.filter(|_| plan.dirty).map_or(0, |at| at.0)),
        );
        let mut active = local.model.into_active_model();
        match E::from_wire(patch, ids, &mut active) {
            Ok(()) => {
                E::set_meta(&mut active, None, &row.remote_id, updated_at);
                updates.push(Update {
                    row,
                    active,
                    dirty: plan.dirty,
                });
                Ok(())
            }
            Err(error) => self.set_aside(tx, cx, &row, &reason(&error), applied).await,
        }
    }

    /// What a deleted row refers to may never have come here.
    pub(super) fn leave_unknown_references(&self, patch: &mut E::Wire, ids: &LocalIds) {
        for number in 0..self.targets.len() {
            let name = patch.reference(number).as_ref().and_then(Option::as_deref);
            if ids.reference(number, name).is_none() {
                *patch.reference_mut(number) = Field::Absent;
            }
        }
    }

    /// Whether a parent was deleted here for good: once that is pushed, the row goes everywhere.
    async fn parent_is_gone(&self, tx: &DatabaseTransaction, row: &E::Wire) -> Result<bool, DbErr> {
        for (number, target) in self
            .targets
            .iter()
            .enumerate()
            .filter(|(_, target)| target.parent)
        {
            if let Field::Present(Some(name)) = row.reference(number)
                && is_gone(tx, &target.table, name).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn plan_insert(
        &self,
        tx: &DatabaseTransaction,
        cx: &ApplyContext,
        row: PullRow<E::Wire>,
        ids: &LocalIds,
        inserts: &mut Vec<(PullRow<E::Wire>, E::ActiveModel)>,
        applied: &mut Applied,
    ) -> Result<(), DbErr> {
        let mut active = <E::ActiveModel as ActiveModelTrait>::default();
        match E::from_wire(row.row.clone(), ids, &mut active) {
            Ok(()) => {
                E::set_owner(&mut active, &cx.user);
                E::set_meta(&mut active, None, &row.remote_id, Millis(row.at));
                if cx.merging
                    && let Some(alike) = twin::alike::<E>(tx, &active).await?
                {
                    return self.adopt(tx, cx, &row, alike, ids, applied).await;
                }
                inserts.push((row, active));
                Ok(())
            }
            Err(_) if self.parent_is_gone(tx, &row.row).await? => Ok(()),
            Err(error) => self.set_aside(tx, cx, &row, &reason(&error), applied).await,
        }
    }

    pub(super) async fn write_updates_here(
        &self,
        tx: &DatabaseTransaction,
        cx: &ApplyContext,
        updates: Vec<Update<E>>,
        applied: &mut Applied,
    ) -> Result<(), DbErr> {
        let actives = updates.iter().map(|update| update.active.clone()).collect();
        let refused: HashMap<usize, DbErr> = self
            .write_each(tx, actives, Write::Update)
            .await?
            .into_iter()
            .collect();
        let trading = updates
            .iter()
            .enumerate()
            .filter(|(number, _)| refused.contains_key(number));
        let trading = trading.map(|(_, update)| update.active.clone()).collect();
        let traded = self.write_traded(tx, trading).await?;
        let mut dirty = Vec::new();
        for (
            number,
            Update {
                row,
                active,
                dirty: stays_dirty,
            },
        ) in updates.into_iter().enumerate()
        {
            let error = refused.get(&number).filter(|_| !traded);
            if let Some(error) = error
                && !self.write_in_room(tx, &active, Write::Update).await?
            {
                self.set_aside(tx, cx, &row, &refused_here(error), applied)
                    .await?;
            } else if stays_dirty
                && let Some(id) = active
                    .get(Self::id())
                    .into_value()
                    .as_ref()
                    .and_then(value_to_i64)
            {
                dirty.push(id);
            }
        }
        for ids in dirty.chunks(CHUNK) {
            let sql = format!(
                "UPDATE \"{}\" SET dirty = TRUE WHERE \"{}\" IN ({})",
                E::SHAPE.table,
                E::SHAPE.id,
                placeholders(1, ids.len())
            );
            execute(tx, &sql, ids.iter().map(|id| (*id).into()).collect()).await?;
        }
        Ok(())
    }

    pub(super) async fn write_inserts_here(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut ApplyContext,
        inserts: Vec<(PullRow<E::Wire>, E::ActiveModel)>,
        ids: &LocalIds,
        applied: &mut Applied,
    ) -> Result<(), DbErr> {
        let actives = inserts.iter().map(|(_, active)| active.clone()).collect();
        let refused: HashMap<usize, DbErr> = self
            .write_each(tx, actives, Write::Insert)
            .await?
            .into_iter()
            .collect();
        for (number, (row, active)) in inserts.into_iter().enumerate() {
            let Some(error) = refused.get(&number) else {
                continue;
            };
            if !self.adopt_twin(tx, cx, &row, active, ids, applied).await? {
                self.set_aside(tx, cx, &row, &refused_here(error), applied)
                    .await?;
            }
        }
        Ok(())
    }

    /// A row with the same natural key is here: one that the server has not seen takes the pulled one's
    /// name and keeps what is pending; a tombstone that was pushed gives way.
    pub(super) async fn adopt_twin(
        &self,
        tx: &DatabaseTransaction,
        cx: &ApplyContext,
        row: &PullRow<E::Wire>,
        active: E::ActiveModel,
        ids: &LocalIds,
        applied: &mut Applied,
    ) -> Result<bool, DbErr> {
        if let Some(model) = twin::find::<E>(tx, &active).await? {
            let id = E::meta(&model).id;
            if E::meta(&model).remote_id.is_some() {
                let pending = pending(tx, E::SHAPE.table, &[id]).await?;
                if !pending
                    .iter()
                    .any(|(_, register, _)| register == EVERY_REGISTER)
                {
                    return Ok(false);
                }
                // Under its old name it would be made once more.
                resend::forget_all(tx).await?;
            }
            self.adopt(tx, cx, row, model, ids, applied).await?;
            return Ok(true);
        }
        self.write_in_room(tx, &active, Write::Insert).await
    }

    /// Gives a row of this database the pulled one's name: it takes what is not pending of it.
    async fn adopt(
        &self,
        tx: &DatabaseTransaction,
        cx: &ApplyContext,
        row: &PullRow<E::Wire>,
        model: E::Model,
        ids: &LocalIds,
        applied: &mut Applied,
    ) -> Result<(), DbErr> {
        let id = E::meta(&model).id;
        let pending: PendingRegisters = pending(tx, E::SHAPE.table, &[id])
            .await?
            .into_iter()
            .map(|(_, register, sent_before)| (register, sent_before))
            .collect();
        let sql = format!(
            "UPDATE \"{}\" SET remote_id = $1 WHERE \"{}\" = $2",
            E::SHAPE.table,
            E::SHAPE.id
        );
        execute(tx, &sql, vec![row.remote_id.as_str().into(), id.into()]).await?;
        let names = self.names(tx, std::iter::once(&model)).await?;
        let current = E::to_wire(model.clone(), &names);
        let local = Local { model, pending };
        let mut updates = Vec::new();
        self.plan_update(
            tx,
            cx,
            row.clone(),
            local,
            &current,
            ids,
            &mut updates,
            applied,
        )
        .await?;
        self.write_updates_here(tx, cx, updates, applied).await
    }

    /// Writes a row whose key only tombstones have: they give way.
    async fn write_in_room(
        &self,
        tx: &DatabaseTransaction,
        active: &E::ActiveModel,
        write: Write,
    ) -> Result<bool, DbErr> {
        Ok(twin::make_room::<E>(tx, active).await?
            && self
                .write_each(tx, vec![active.clone()], write)
                .await?
                .is_empty())
    }

    pub(super) async fn set_aside(
        &self,
        tx: &DatabaseTransaction,
        cx: &ApplyContext,
        row: &PullRow<E::Wire>,
        reason: &Reason,
        applied: &mut Applied,
    ) -> Result<(), DbErr> {
        let raw = serde_json::to_string(row).map_err(|e| DbErr::Json(e.to_string()))?;
        applied.n_written = applied.n_written.saturating_sub(1);
        self.set_aside_raw(tx, cx, &row.remote_id, &raw, reason, applied)
            .await
    }

    pub(super) async fn set_aside_raw(
        &self,
        tx: &DatabaseTransaction,
        cx: &ApplyContext,
        remote_id: &str,
        raw: &str,
        reason: &Reason,
        applied: &mut Applied,
    ) -> Result<(), DbErr> {
        let since = cx.aside_since.get(remote_id).copied();
        let since_ms = since.unwrap_or(cx.now_ms);
        let table = E::SHAPE.table;
        quarantine::put(tx, table, remote_id, raw, reason, cx.now_ms, since_ms).await?;
        applied
            .quarantined
            .push((remote_id.to_owned(), reason.text.clone()));
        Ok(())
    }
}

fn reason(error: &FieldError) -> Reason {
    let column = error.column;
    let (code, text) = match error.code {
        FieldErrorCode::Required => ("required", format!("`{column}` needs a value")),
        FieldErrorCode::OutOfRange => ("out_of_range", format!("`{column}` cannot hold the value")),
        FieldErrorCode::UnknownReference => (
            "unknown_parent",
            format!("the row that `{column}` refers to is not here"),
        ),
    };
    Reason {
        code,
        field: Some(column),
        text,
    }
}

/// What this database alone does not take.
fn refused_here(error: &DbErr) -> Reason {
    Reason::new("constraint", error.to_string())
}
