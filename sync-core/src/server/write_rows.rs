//! Merged rows into their table and the feed, all at once where the database takes them.

use std::collections::HashMap;

use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel};

use super::{
    Entry, PushContext, ServerError,
    decide::{Outcome, Planned, gone},
    exclusive::Claim,
    feed,
    incoming::Incoming,
    push::{Known, rejected},
    twin,
};
use crate::{
    db_error::{is_taken_key, verdict_code},
    protocol::Verdict,
    refs::LocalIds,
    rows::Write,
    syncable::Syncable,
    table::Table,
    wire::{Millis, WireRow},
};

impl<E: Syncable> Table<E> {
    pub(super) async fn write_updates(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        planned: Vec<Planned<E>>,
        verdicts: &mut [Option<Verdict>],
    ) -> Result<(), ServerError> {
        let rows = planned.iter().map(|p| p.active.clone()).collect();
        let refused: HashMap<usize, _> = self
            .write_each(tx, rows, Write::Update)
            .await?
            .into_iter()
            .collect();
        let traded = planned
            .iter()
            .enumerate()
            .filter(|(number, _)| refused.contains_key(number));
        let traded = self
            .write_traded(tx, traded.map(|(_, p)| p.active.clone()).collect())
            .await?;
        let mut entries = Vec::with_capacity(planned.len());
        for (number, mut planned) in planned.into_iter().enumerate() {
            let error = refused.get(&number).filter(|_| !traded);
            if let Some(error) = error
                && !(is_taken_key(error) && self.write_elsewhere(tx, cx, &mut planned).await?)
                && !self.write_where_it_is(tx, &mut planned).await?
            {
                cx.events.retain(|event| {
                    event.table != E::SHAPE.table || event.row_id != planned.entry.row_id
                });
                verdicts[planned.position] = Some(refused_by_database::<E>(&planned, error));
                continue;
            }
            planned.entry.seq = cx.next_seq();
            self.claim_flags(cx, &planned);
            remember(cx, &planned.entry, &planned.pushed_as);
            verdicts[planned.position] = Some(planned.verdict);
            entries.push(planned.entry);
        }
        Ok(feed::put(tx, cx.account, &entries).await?)
    }

    /// A row that was moved to what is gone for good is deleted where it is: there is nothing to move it to.
    async fn write_where_it_is(
        &self,
        tx: &DatabaseTransaction,
        planned: &mut Planned<E>,
    ) -> Result<bool, ServerError> {
        if planned.entry.deleted_at.is_none() {
            return Ok(false);
        }
        let row_id = planned.entry.row_id;
        let Some(model) = self.load(tx, &[row_id], false).await?.remove(&row_id) else {
            return Ok(false);
        };
        let stored = model.into_active_model();
        for target in &self.targets {
            let column = Self::column(target.column);
            if let Some(parent) = stored.get(column).into_value() {
                planned.active.try_set(column, parent)?;
            }
        }
        let refused = self
            .write_each(tx, vec![planned.active.clone()], Write::Update)
            .await?;
        Ok(refused.is_empty())
    }

    fn claim_flags(&self, cx: &mut PushContext<'_>, planned: &Planned<E>) {
        let set = |flag| planned.row.column(flag) == Some(true.into());
        if E::SHAPE
            .exclusive
            .iter()
            .any(|exclusive| set(exclusive.flag))
        {
            cx.claims.insert(Claim {
                table: E::SHAPE.table,
                row_id: planned.entry.row_id,
            });
        }
    }

    pub(super) async fn write_inserts(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        mut planned: Vec<Planned<E>>,
        ids: &LocalIds,
        verdicts: &mut [Option<Verdict>],
    ) -> Result<(), ServerError> {
        self.merge_into_deleted_twins(tx, cx, ids, &mut planned, verdicts)
            .await?;
        let row_ids = twin::allocate_ids(tx, E::SHAPE.table, E::SHAPE.id, planned.len()).await?;
        for (planned, row_id) in planned.iter_mut().zip(row_ids) {
            planned.entry.row_id = row_id;
            let updated_at = Millis(planned.entry.clocks.latest());
            E::set_meta(
                &mut planned.active,
                Some(row_id),
                &planned.entry.remote_id,
                updated_at,
            );
        }
        let refused = self
            .write_each(
                tx,
                planned.iter().map(|p| p.active.clone()).collect(),
                Write::Insert,
            )
            .await?;
        let mut refused: HashMap<usize, _> = refused.into_iter().collect();
        let mut again = Vec::new();
        let mut entries = Vec::with_capacity(planned.len());
        for (number, mut planned) in planned.into_iter().enumerate() {
            if let Some(error) = refused.remove(&number) {
                again.push((planned, error));
                continue;
            }
            planned.entry.seq = cx.next_seq();
            self.claim_flags(cx, &planned);
            remember(cx, &planned.entry, &planned.pushed_as);
            verdicts[planned.position] = Some(planned.verdict);
            entries.push(planned.entry);
        }
        feed::put(tx, cx.account, &entries).await?;
        for (planned, error) in again {
            let position = planned.position;
            verdicts[position] = Some(self.insert_refused(tx, cx, ids, planned, error).await?);
        }
        Ok(())
    }

    /// A new row that the database refused: perhaps another device made the same thing before.
    pub(super) async fn insert_refused(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        ids: &LocalIds,
        mut planned: Planned<E>,
        error: sea_orm::DbErr,
    ) -> Result<Verdict, ServerError> {
        let taken = is_taken_key(&error);
        let twin = match taken {
            true => twin::find::<E>(tx, &planned.active).await?,
            false => None,
        };
        if taken
            && twin.is_none()
            && twin::make_room::<E>(tx, &planned.active).await?
            && self
                .write_each(tx, vec![planned.active.clone()], Write::Insert)
                .await?
                .is_empty()
        {
            planned.entry.seq = cx.next_seq();
            self.claim_flags(cx, &planned);
            remember(cx, &planned.entry, &planned.pushed_as);
            feed::put(tx, cx.account, std::slice::from_ref(&planned.entry)).await?;
            return Ok(planned.verdict);
        }
        let Some(model) = twin else {
            if planned.entry.deleted_at.is_some() {
                // What it belongs to is gone for good: there is nothing left to hang a tombstone on.
                return Ok(gone(&planned.incoming, &planned.entry));
            }
            return Ok(refused_by_database::<E>(&planned, &error));
        };
        self.merge_into(tx, cx, ids, planned, model).await
    }

    /// New rows under a deleted parent: the same thing made on two devices is one, as it would be under a
    /// live parent, so that both come back with it as one.
    async fn merge_into_deleted_twins(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        ids: &LocalIds,
        planned: &mut Vec<Planned<E>>,
        verdicts: &mut [Option<Verdict>],
    ) -> Result<(), ServerError> {
        for mut one in std::mem::take(planned) {
            let twin = match one.entry.deleted_at {
                Some(at) => twin::deleted_at::<E>(tx, &one.active, at).await?,
                None => None,
            };
            let Some(model) = twin else {
                planned.push(one);
                continue;
            };
            one.incoming.leave_deleted(&E::SHAPE, one.entry.deleted_at);
            let position = one.position;
            let verdict = self.merge_into(tx, cx, ids, one, model).await?;
            let code = verdict.code.or_else(|| Some("parent_deleted".to_owned()));
            verdicts[position] = Some(Verdict { code, ..verdict });
        }
        Ok(())
    }

    /// Merges a new row into the one that is the same thing; its name becomes an alias.
    async fn merge_into(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        ids: &LocalIds,
        planned: Planned<E>,
        model: E::Model,
    ) -> Result<Verdict, ServerError> {
        let winner = E::meta(&model).remote_id.unwrap_or_default().to_owned();
        let Some(entry) = feed::find(tx, cx.account, E::SHAPE.table, &[&winner])
            .await?
            .remove(&winner)
        else {
            let message = "another row has the same key";
            return Ok(rejected(&planned.pushed_as, "constraint", None, message));
        };
        feed::add_alias(tx, cx.account, E::SHAPE.table, &planned.pushed_as, &winner).await?;
        let incoming = Incoming {
            remote_id: winner,
            ..planned.incoming
        };
        let names = self.names(tx, std::iter::once(&model)).await?;
        let pushed_as = incoming.pushed_as.clone();
        match self.merge_known(cx, ids, incoming, entry.clone(), Some(model), &names) {
            Outcome::Answer(verdict) => {
                remember(cx, &entry, &pushed_as);
                Ok(verdict)
            }
            Outcome::Restamp(verdict, entry) => {
                remember(cx, &entry, &pushed_as);
                feed::put(tx, cx.account, &[entry]).await?;
                Ok(verdict)
            }
            Outcome::Update(planned) | Outcome::Insert(planned) => {
                let mut verdict = vec![None; planned.position + 1];
                let position = planned.position;
                self.write_updates(tx, cx, vec![*planned], &mut verdict)
                    .await?;
                Ok(verdict
                    .swap_remove(position)
                    .unwrap_or_else(|| rejected(&pushed_as, "constraint", None, "")))
            }
        }
    }
}

/// The verdict for a row that breaks a rule of the database.
fn refused_by_database<E: Syncable>(planned: &Planned<E>, error: &sea_orm::DbErr) -> Verdict {
    tracing::debug!(%error, table = E::SHAPE.table, "a pushed row was refused by the database");
    let (code, column) = verdict_code(error);
    let field = E::SHAPE
        .columns()
        .find(|name| Some(*name) == column.as_deref());
    let (code, message) = match (code, field) {
        // A column that is not for the wire is nothing a device could give a value.
        ("required", None) => ("constraint", "the database cannot hold this row as it is"),
        ("required", Some(_)) => (code, "this column needs a value"),
        _ => (code, "the database cannot hold this row as it is"),
    };
    rejected(&planned.pushed_as, code, field, message)
}

/// Later rows of this push may refer to this one, by either name.
fn remember(cx: &mut PushContext<'_>, entry: &Entry, pushed_as: &str) {
    // What this push decides has no position yet: no device has seen it.
    let since = match entry.deletion_stamp().position() {
        0 => i64::MAX,
        position => position,
    };
    let known = Known {
        remote_id: entry.remote_id.clone(),
        row_id: entry.row_id,
        deleted_at: entry.deleted_at,
        since,
    };
    let rows = cx.known.entry(entry.table.clone()).or_default();
    rows.insert(entry.remote_id.clone(), known.clone());
    rows.insert(pushed_as.to_owned(), known);
}
